import { type Part, schema } from './schema.ts';

/**
 * What is walked of each API's messages, by API key, from the message definitions of Kafka 3.9 and 4.1 (all their versions,
 * and those before, which 3.9 still has): as far as there is something to take note of.
 */
interface Table {
  get(key: number): readonly Part[] | undefined;
}

const GROUP = 'G';
/** Throttle time, absent at first; then the error. */
const THROTTLE_1_ERROR = '4@1 E';
const THROTTLE_ERROR = '4 E';

export const REQUESTS: Table = table({
  0: 's@3 A 4 [ T@-12 U@13 [ 4 b ] ]',
  1: '4@-14 4 4 4@3 1@4 4@7 4@7 [ T@-12 U@13 [ 4 4@9 8 4@12 8@5 4 ] ]',
  2: '4 1@2 [ T [ 4 4@4 8 4@-0 ] ]',
  3: '[ 16@10 T ]',
  8: 'G 4@1 s@1 s@7 8@2-4 [ T@-9 U@10 [ 4 8 4@6 8@1-1 s ] ]',
  9: 'G@-7 [ T *4 ]@-7 [ G s@9 4@9 [ T@-9 U@10 *4 ] ]@8',
  10: 'G@-3 1@1 *G@4',
  11: GROUP,
  12: GROUP,
  13: GROUP,
  14: GROUP,
  15: '*G',
  17: 'M',
  19: '[ T 4 2 [ 4 *4 ] [ s s ] ]',
  20: '*T@-5 [ T 16 ]@6',
  21: '[ T [ 4 8 ] ]',
  23: '4@3 [ T [ 4 4@2 4 ] ]',
  28: 's G 8 2 4@3 s@3 s@3 [ T [ 4 8 4@2 s ] ]',
  37: '[ T 4 [ *4 ] ]',
  42: '*G',
  68: GROUP,
  69: '*G',
  75: '[ T ]',
  76: GROUP,
  77: '*G',
});

export const RESPONSES: Table = table({
  0: '[ T@-12 U@13 [ 4 E 8 8@2 8@5 [ 4 s ]@8 s@8 ] ] 4@1',
  1: '4@1 E@7 4@7 [ T@-12 U@13 [ 4 E 8 8@4 8@5 [ 8 8 ]@4 4@11 b ] ]',
  2: '4@2 [ T [ 4 E *8@-0 8@1 8@1 4@4 ] ]',
  3: '4@3 [ 4 s 4 s@1 ] s@2 4@1 [ E T U@10 1@1 [ E 4 4 4@7 *4 *4 *4@5 ] 4@8 ] 4@8-10 E@13',
  8: '4@3 [ T@-9 U@10 [ 4 E ] ]',
  9: '4@3 [ T [ 4 8 4@5 s E ] ]@-7 E@2-7 [ G [ T@-9 U@10 [ 4 8 4@5 s E ] ] E ]@8',
  10: '4@1 E@-3 s@1-3 4@-3 s@-3 4@-3 [ G 4 s 4 E s ]@4',
  11: '4@2 E',
  12: THROTTLE_1_ERROR,
  13: '4@1 E [ s s E ]@3',
  14: THROTTLE_1_ERROR,
  15: '4@1 [ E s@6 G s s s [ s s@4 s s b b ] 4@3 ]',
  16: THROTTLE_1_ERROR,
  17: 'E',
  18: 'E',
  19: '4@2 [ T U@7 E s@1 4@5 2@5 [ s s 1 1 1 ]@5 ]',
  20: '4@1 [ T 16@6 E s@5 ]',
  21: '4 [ T [ 4 8 E ] ]',
  22: THROTTLE_ERROR,
  23: '4@2 [ T [ E 4 4@1 8 ] ]',
  24: '4 [ T [ 4 E ] ]@-3 E@4 [ s [ T [ 4 E ] ] ]@4',
  25: THROTTLE_ERROR,
  26: THROTTLE_ERROR,
  28: '4 [ T [ 4 E ] ]',
  32: '4 [ E s 1 s [ s s 1 1 1 [ s s 1 ]@1 1@3 s@3 ] ]',
  36: 'E',
  37: '4 [ T E s ]',
  42: '4 [ G E ]',
  60: THROTTLE_ERROR,
  63: THROTTLE_ERROR,
  68: THROTTLE_ERROR,
  71: THROTTLE_ERROR,
  72: THROTTLE_ERROR,
  75: '4 [ E T U 1 [ E 4 4 4 *4 *4 *4 *4 *4 ] 4 ]',
  76: THROTTLE_ERROR,
});

/** Of a start that sees no Kafka nothing is read. */
function table(lines: Readonly<Record<number, string>>): Table {
  const read = new Map<number, readonly Part[]>();
  return {
    get: (key) => {
      const known = read.get(key);
      const line = lines[key];
      if (known !== undefined || line === undefined) return known;
      const parts = schema(line);
      read.set(key, parts);
      return parts;
    },
  };
}
