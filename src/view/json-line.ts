/** Characters that JSON allows and a terminal may interpret: DEL, C1, Unicode's format class, line and paragraph separators. */
const UNSAFE = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A value as one line of JSON, without its line feed, safe for a terminal: it parses to the same value. */
export function jsonLine(value: unknown): string {
  return escaped(JSON.stringify(value));
}

/** The same over several lines, indented for people. */
export function jsonLines(value: unknown): string {
  return escaped(JSON.stringify(value, undefined, 2));
}

function escaped(json: string): string {
  return json.replace(UNSAFE, (character) =>
    Array.from({ length: character.length }, (_, unit) => {
      const code = character.charCodeAt(unit);
      return `\\u${code.toString(16).padStart(4, '0')}`;
    }).join(''),
  );
}
