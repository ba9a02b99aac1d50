import { expect, test } from 'vitest';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../support/built-capture.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
const FAR = 50_000_000;

/** An exchange, and the connection's end. @param initial the sides' initial sequence numbers @param end flags that end it */
function connection(initial: readonly [number, number], at: number, path: string, end = 'F.'): BuiltSegment[] {
  const request = `GET ${path} HTTP/1.1\r\nHost: shop\r\n\r\n`;
  const [client, server] = [initial[0] + 1, initial[1] + 1];
  const [asked, answered] = [client + request.length, server + OK.length];
  const segments: BuiltSegment[] = [
    ...handshake(initial, at),
    { side: 0, sequence: client, acknowledgment: server, payload: request, at: at + 10 },
    { side: 1, sequence: server, acknowledgment: asked, payload: OK, at: at + 11 },
    { side: 0, sequence: asked, acknowledgment: answered, flags: end, at: at + 12 },
  ];
  return end === 'F.'
    ? [...segments, { side: 1, sequence: answered, acknowledgment: asked + 1, flags: 'F.', at: at + 13 }]
    : segments;
}

const stated = (segments: readonly BuiltSegment[]) => {
  const { events, flows } = analyseBytes(builtPcap(segments));
  const exchanges = events.filter(({ event }) => event.kind === 'exchange');
  return { flows: flows.length, exchanges: exchanges.map(({ event }) => event.label) };
};

test.each(['F.', 'R.'])('ports that are used again, and the SYN was not captured, behind %s', (end) => {
  const first = connection([100, 200], 0, '/a', end);
  const second = connection([100 + FAR, 200 + FAR], 1000, '/b');
  expect(stated([...first, ...second.slice(1)])).toEqual({ flows: 2, exchanges: ['GET /a', 'GET /b'] });
  expect(stated([...first, ...second.slice(3)])).toEqual({ flows: 2, exchanges: ['GET /a', 'GET /b'] });
});

test('neither its SYN nor the end of the one before was captured: the SYN-ACK shows it', () => {
  const first = connection([100, 200], 0, '/a').slice(0, 5);
  const second = connection([100 + FAR, 200 + FAR], 1000, '/b');
  expect(stated([...first, ...second.slice(1)])).toEqual({ flows: 2, exchanges: ['GET /a', 'GET /b'] });
});

test('what an ended connection sends again is its own', () => {
  const segments = connection([100, 200], 0, '/a');
  const again = segments.slice(1, 5).map((segment) => ({ ...segment, at: segment.at + 300 }));
  expect(stated([...segments, ...again])).toEqual({ flows: 1, exchanges: ['GET /a'] });
});
