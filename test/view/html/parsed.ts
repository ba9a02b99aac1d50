/** An element or a text of a page, in the order in which it stands there. */
export interface Piece {
  readonly kind: 'open' | 'close' | 'text';
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly text: string;
}

const TAG = /^<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z][a-zA-Z-]*(?:="[^"<>]*")?)*)\s*(\/?)>$/;
const ENTITY = /&(?:amp|lt|gt|quot|#39);/g;
const DECODED: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
};

/**
 * A page taken apart. It takes only what ksnoop writes: tags with attributes in double quotes, five entities. Anything else in
 * the page is an error: it would be a text that was not escaped.
 */
export function parsed(page: string): Piece[] {
  const body = page
    .replace(/^<!DOCTYPE html>\n/, '')
    .replace(/<style>[^<]*<\/style>/, '')
    .replace(/<script>[\s\S]*?<\/script>/, '');
  return body.split(/(<[^>]*>)/).flatMap((part): Piece[] => {
    if (part === '') return [];
    if (!part.startsWith('<')) {
      if (/[<>]/.test(part)) throw new Error(`a text is not escaped: ${part}`);
      return [{ kind: 'text', name: '', attributes: new Map(), text: decoded(part) }];
    }
    const tag = TAG.exec(part);
    if (tag === null) throw new Error(`no tag of ours: ${part}`);
    const [, slash, name = '', attributes = ''] = tag;
    const pairs = [...attributes.matchAll(/([a-zA-Z][a-zA-Z-]*)(?:="([^"]*)")?/g)];
    return [
      {
        kind: slash === '/' ? 'close' : 'open',
        name,
        attributes: new Map(pairs.map(([, key = '', value = '']) => [key, decoded(value)])),
        text: '',
      },
    ];
  });
}

function decoded(text: string): string {
  const rest = text.replace(ENTITY, '');
  if (rest.includes('&')) throw new Error(`an ampersand is not escaped: ${text}`);
  return text.replace(ENTITY, (entity) => DECODED[entity] ?? '');
}

/** Cells of a table of the page, by its id: texts, and exact values where there are some. */
export function tableOf(pieces: readonly Piece[], id: string): { text: string; value: string | undefined }[][] {
  const start = pieces.findIndex(({ attributes }) => attributes.get('id') === id);
  const rows: { text: string; value: string | undefined }[][] = [];
  for (const { kind, name, attributes, text } of pieces.slice(start)) {
    if (kind === 'close' && name === 'table') break;
    if (kind === 'open' && name === 'tr') rows.push([]);
    if (kind === 'open' && (name === 'td' || name === 'th')) {
      rows.at(-1)?.push({ text: '', value: attributes.get('data-v') });
    }
    const cell = rows.at(-1)?.at(-1);
    if (kind === 'text' && cell !== undefined) cell.text += text.trim();
  }
  return rows;
}
