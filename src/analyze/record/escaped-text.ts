/** A printable character of ASCII as JSON may write it (RFC 8259, section 7), also in JSON that is a string of JSON. */
const ESCAPED = /(\\{1,8})u00([2-7][0-9a-f])/gi;
/** Blanks and commas end values that have no quotes, and a backslash begins another escape: they stay as they are. */
const KEPT = /[\s,;(){}[\]\\\x7f]/;

/** XML that is a text of XML. */
const ENTITY = /&(?:lt|gt|quot|apos);/g;
const ENTITIES: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'" };

/**
 * The text with `\u0077` as `w`: names are the same however they are written. Quotes keep a backslash before them. XML within
 * XML is read likewise. Linear in
 * the text.
 */
export function withoutEscapes(text: string): string {
  const plain = text.includes('&lt;') ? text.replace(ENTITY, (whole) => ENTITIES[whole] ?? whole) : text;
  if (!plain.includes('\\u00')) return plain;
  return plain.replace(ESCAPED, (whole, backslashes: string, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    if (KEPT.test(character)) return whole;
    return character === '"' ? `${'\\'.repeat(2 * backslashes.length - 1)}"` : character;
  });
}
