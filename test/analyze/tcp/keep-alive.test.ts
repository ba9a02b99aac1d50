import { expect, test } from 'vitest';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../support/built-capture.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: shop\r\n\r\n';
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no';

/** How the exchange ends whose answer's last byte was not captured, or comes in a segment of its own. */
function ending(last: string, flags: string): readonly (string | undefined)[] {
  const behind = 1 + ANSWER.length;
  const segments: BuiltSegment[] = [
    ...handshake([0, 0]),
    { side: 0, sequence: 1, acknowledgment: 1, payload: GET, flags: 'P.', at: 1 },
    { side: 1, sequence: 1, acknowledgment: 1 + GET.length, payload: ANSWER, at: 2 },
    { side: 1, sequence: behind, acknowledgment: 1 + GET.length, payload: last, flags, at: 1_000 },
    { side: 0, sequence: 1 + GET.length, acknowledgment: behind + 1, at: 1_001 },
    { side: 0, sequence: 1 + GET.length, acknowledgment: behind + 1, payload: GET, flags: 'P.', at: 2_000 },
  ];
  const { events } = analyseBytes(builtPcap(segments));
  const [first] = events.flatMap(({ event }) => (event.kind === 'exchange' ? [event] : []));
  return [first?.status, first?.incomplete];
}

test('the byte of a keep-alive does not stand in the place of a last byte that was not captured', () => {
  expect(ending('\0', '.')).toEqual(['200', 'response not captured']);
});

test('any other byte is the last one', () => {
  expect(ending('\0', 'P.')).toEqual(['200', undefined]);
  expect(ending('k', '.')).toEqual(['200', undefined]);
});
