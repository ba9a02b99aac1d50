/** A part of a message that is walked over, or taken note of. */
export interface Part {
  readonly kind: PartKind;
  /** Bytes of a number; of an array's elements, where those are numbers. */
  readonly size: number;
  /** Of an array's elements, where those have parts. */
  readonly parts: readonly Part[];
  /** Versions that have it. */
  readonly from: number;
  readonly to: number;
}

/**
 * Numbers are skipped; `array` is of structures, `numbers` and `strings` of plain ones. What is taken note of: an error
 * code, a topic's name or id, a group's (or other coordinator's) name, a SASL mechanism, a request's acks.
 */
export type PartKind =
  | 'skip'
  | 'string'
  | 'bytes'
  | 'array'
  | 'numbers'
  | 'strings'
  | 'error'
  | 'topic'
  | 'topicId'
  | 'group'
  | 'groups'
  | 'topics'
  | 'mechanism'
  | 'acks';

const WORDS: Readonly<Record<string, readonly [kind: PartKind, size: number]>> = {
  1: ['skip', 1],
  2: ['skip', 2],
  4: ['skip', 4],
  8: ['skip', 8],
  16: ['skip', 16],
  '*4': ['numbers', 4],
  '*8': ['numbers', 8],
  '*s': ['strings', 0],
  '*G': ['groups', 0],
  '*T': ['topics', 0],
  s: ['string', 0],
  b: ['bytes', 0],
  E: ['error', 2],
  T: ['topic', 0],
  U: ['topicId', 16],
  G: ['group', 0],
  M: ['mechanism', 0],
  A: ['acks', 2],
};

/**
 * A message's parts from a line such as `4@1 [ T [ 4 E 8 ] ]`: numbers by their bytes, `s`trings, `b`ytes, `[ ]` arrays of
 * structures, `*4` arrays of numbers, capitals for what is taken note of. `@1` from version 1 on, `@1-3` up to 3, `@-3` in
 * those before 4; an array's stand behind its end.
 */
export function schema(line: string): readonly Part[] {
  const open: Part[][] = [[]];
  for (const word of line.split(' ')) {
    const [name = '', versions = ''] = word.split('@');
    const [low, high] = versions.split('-');
    const from = Number(low ?? 0);
    const to = high === undefined ? Number.POSITIVE_INFINITY : Number(high);
    if (name === '[') {
      open.push([]);
      continue;
    }
    let part: Part;
    if (name === ']') part = { kind: 'array', size: 0, parts: open.pop() ?? [], from, to };
    else {
      const known = WORDS[name];
      if (known === undefined) throw new Error(`no such part: ${word}`);
      part = { kind: known[0], size: known[1], parts: [], from, to };
    }
    open.at(-1)?.push(part);
  }
  if (open.length !== 1) throw new Error(`brackets do not match: ${line}`);
  return open[0] ?? [];
}
