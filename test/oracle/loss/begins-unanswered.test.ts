// A capture that begins in the middle of a connection whose server hangs: the common case when a capture is begun because of it.
import { describe, expect, test } from 'vitest';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap } from '../../support/built-capture.ts';
import { Random } from '../../support/random.ts';
import { CONVERSATIONS, type ConversationName } from './index.ts';
import { NAMES } from './run.ts';

/**
 * Protocols whose requests say of themselves that they want an answer. NATS has none to most, SMTP's server speaks first, of a gRPC
 * call it is not known what the client's tables hold, and a WebSocket has messages.
 */
const ANSWERED = NAMES.filter((name) => {
  const without: readonly ConversationName[] = ['nats', 'smtp', 'grpc', 'websocket'];
  return CONVERSATIONS[name](2, new Random(7)).transport !== 'udp' && !without.includes(name);
});

/** A request, the server's acknowledgment, and the end of the connection after five seconds. @param answered bytes not captured */
function capture(name: ConversationName, answered: number, end: 'F.' | 'R.'): Buffer {
  const { exchanges, port } = CONVERSATIONS[name](2, new Random(7));
  const { before, request } = exchanges.at(-1) ?? exchanges[0] ?? { before: undefined, request: Buffer.alloc(0) };
  const payload = Buffer.concat([before ?? Buffer.alloc(0), request]);
  const [client, server] = [5_000, 9_000];
  const after = client + payload.length;
  const segment = (side: 0 | 1, flags: string, sequence: number, acknowledgment: number, at: number): BuiltSegment => ({
    side,
    flags,
    sequence,
    acknowledgment,
    payload: Buffer.alloc(0),
    ports: [40_000, port],
    at,
  });
  return builtPcap([
    { ...segment(0, 'P.', client, server, 0), payload },
    segment(1, '.', server, after, 1),
    segment(0, end, after, server + answered, 5_000),
    ...(end === 'R.'
      ? []
      : [
          segment(1, 'F.', server + answered, after + 1, 5_001),
          segment(0, '.', after + 1, server + answered + 1, 5_002),
        ]),
  ]);
}

const stated = (bytes: Buffer) =>
  analyseBytes(bytes).events.flatMap(({ event }) =>
    event.kind === 'exchange' ? [{ incomplete: event.incomplete, failed: event.failed }] : [],
  );

describe.each(ANSWERED)('%s, a request with which the capture begins', (name) => {
  test('nothing was sent since: it has no response', () => {
    expect(stated(capture(name, 0, 'F.'))).toEqual([{ incomplete: 'no response', failed: true }]);
    expect(stated(capture(name, 0, 'R.'))).toEqual([{ incomplete: 'reset', failed: true }]);
  });

  test('bytes that were acknowledged since and not captured may be the response', () => {
    for (const { incomplete, failed } of stated(capture(name, 40, 'F.')))
      expect([incomplete, failed]).toEqual(['response not captured', false]);
  });
});
