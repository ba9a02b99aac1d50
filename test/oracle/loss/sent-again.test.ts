import { describe, expect, test } from 'vitest';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap } from '../../support/built-capture.ts';
import { Random } from '../../support/random.ts';
import { CONVERSATIONS } from './index.ts';
import { NAMES } from './run.ts';

const SEGMENT_BYTES = 1_400;
/** The exchange whose request comes again. */
const AGAIN = 2;

type Seen = 'from the start' | 'from then on' | 'from then on, with an acknowledgment';

/**
 * A conversation of which neither a request nor its answer was captured, but the request as it was sent again: it acknowledges
 * the answer. Then the connection closes.
 */
function conversation(name: (typeof NAMES)[number], seen: Seen): Buffer {
  const { opening, exchanges, port } = CONVERSATIONS[name](AGAIN + 2, new Random(7));
  const segments: BuiltSegment[] = [];
  const next: [number, number] = [0, 0];
  const put = (side: 0 | 1, flags: string, bytes: Buffer = Buffer.alloc(0), sequence = next[side]) => {
    for (let from = 0; from < Math.max(1, bytes.length); from += SEGMENT_BYTES) {
      segments.push({
        side,
        sequence: sequence + from,
        acknowledgment: next[side === 0 ? 1 : 0],
        payload: bytes.subarray(from, from + SEGMENT_BYTES),
        flags,
        ports: [40_000, port],
        at: segments.length * 10,
      });
    }
    const counted = /[SF]/.test(flags) ? 1 : 0;
    next[side] = Math.max(next[side], sequence + bytes.length + counted);
  };
  put(0, 'S');
  put(1, 'S.');
  put(0, '.');
  for (const [side, bytes] of opening) put(side, 'P.', bytes);
  const sent = exchanges.slice(0, AGAIN + 1).map(({ before, request, response, after }) => ({
    request: Buffer.concat([before ?? Buffer.alloc(0), request]),
    response: Buffer.concat([response, after ?? Buffer.alloc(0)]),
  }));
  const again = sent.pop() ?? { request: Buffer.alloc(0), response: Buffer.alloc(0) };
  for (const { request, response } of sent) {
    put(0, 'P.', request);
    put(1, 'P.', response);
  }
  if (seen !== 'from the start') segments.splice(0);
  const start = next[0];
  next[0] += again.request.length;
  next[1] += again.response.length;
  put(0, 'P.', again.request, start);
  if (seen === 'from then on, with an acknowledgment') put(1, '.');
  put(0, 'F.');
  put(1, 'F.');
  put(0, '.');
  return builtPcap(segments);
}

describe.each<Seen>(['from the start', 'from then on', 'from then on, with an acknowledgment'])(
  'a request that is sent again behind its answer has not failed where that was not captured: seen %s',
  (seen) => {
    test.each(NAMES.filter((name) => CONVERSATIONS[name](1, new Random(7)).transport !== 'udp'))('%s', (name) => {
      const unanswered = analyseBytes(conversation(name, seen)).events.flatMap(({ event }) =>
        event.kind === 'exchange' && event.incomplete !== undefined ? [event] : [],
      );
      expect(unanswered.filter(({ incomplete, failed }) => failed || incomplete === 'no response')).toEqual([]);
    });
  },
);
