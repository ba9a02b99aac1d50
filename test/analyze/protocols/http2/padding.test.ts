import { expect, test } from 'vitest';
import { http2 } from '../../../../src/analyze/protocols/http2/index.ts';
import type { AnalysisEvent } from '../../../../src/analyze/record/event.ts';
import { CONVERSATIONS } from '../../../oracle/loss/index.ts';
import { Random } from '../../../support/random.ts';
import { play, playCut, type Step } from '../play.ts';

const HEAD = 9;
const DATA = 0;
const HEADERS = 1;
const PADDED = 8;
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** The frames with padding (RFC 9113, sections 6.1 and 6.2): of no byte, of some, and of as many as there may be. */
function padded(bytes: Buffer, random: Random): Buffer {
  const parts: Buffer[] = [];
  let at = bytes.subarray(0, PREFACE.length).toString('latin1') === PREFACE ? PREFACE.length : 0;
  parts.push(bytes.subarray(0, at));
  while (at < bytes.length) {
    const end = at + HEAD + bytes.readUIntBE(at, 3);
    const type = bytes[at + 3] as number;
    if (type === DATA || type === HEADERS) {
      const length = [0, 1, 7, 255][random.below(4)] as number;
      const head = Buffer.from(bytes.subarray(at, at + HEAD));
      head.writeUIntBE(end - at - HEAD + 1 + length, 0, 3);
      head[4] = (head[4] as number) | PADDED;
      // Padding that is no zeros must not be read either.
      parts.push(head, Buffer.of(length), bytes.subarray(at + HEAD, end), Buffer.alloc(length, 0x82));
    } else parts.push(bytes.subarray(at, end));
    at = end;
  }
  return Buffer.concat(parts);
}

/** Without what padding changes: how many bytes were sent. */
function contents(events: readonly AnalysisEvent[]) {
  return events.map((event) => ({ ...event, requestBytes: 0, responseBytes: 0, bytes: 0 }));
}

test.each(['http2', 'grpc'] as const)('%s: padding changes nothing of what is found, however it is cut', (name) => {
  for (let seed = 1; seed <= 6; seed += 1) {
    const random = new Random(seed);
    const { opening, exchanges } = CONVERSATIONS[name](6, new Random(seed));
    const plain: Step[] = [...opening];
    for (const { request, response } of exchanges) plain.push([0, request], [1, response]);
    const steps = plain.map(([side, bytes]): Step => [side, padded(bytes as Buffer, random)]);
    const expected = contents(play(http2, plain));
    expect(expected.length).toBeGreaterThan(5);
    for (const events of playCut(http2, steps, {}, 4)) expect(contents(events)).toEqual(expected);
  }
});

test('padding that is longer than its frame is an error of the connection, and ends what is found', () => {
  const { opening, exchanges } = CONVERSATIONS.http2(2, new Random(1));
  const [first] = exchanges;
  if (first === undefined) throw new Error('no exchange');
  const request = padded(first.request, new Random(1));
  request[HEAD] = 255;
  const whole: Step[] = [...opening, [0, padded(first.request, new Random(1))], [1, first.response]];
  expect(play(http2, whole).filter(({ kind }) => kind === 'exchange')).toHaveLength(1);
  const labels = play(http2, [...opening, [0, request], [1, first.response]]).map(({ label }) => label);
  expect(labels.filter((label) => label?.includes('/r0'))).toEqual([]);
});
