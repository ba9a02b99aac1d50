import { expect, test } from 'vitest';
import { PROBE_BYTES } from '../../../src/analyze/limits.ts';
import { Recognition } from '../../../src/analyze/protocols/recognise.ts';
import { SIDE, type Side } from '../../../src/analyze/record/event.ts';
import { FirstBytes, recognition } from '../../../src/analyze/tcp/first-bytes.ts';
import { Random } from '../../support/random.ts';

const PORTS = { clientPort: 40_000, serverPort: 8_080 };
const BEGINNINGS: readonly (readonly [string, string])[] = [
  ['GET /cart HTTP/1.1\r\nHost: shop\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', '\0\0\0\x04\0\0\0\0\0'],
  ['*2\r\n$3\r\nGET\r\n$4\r\ncart\r\n', '$5\r\nthree\r\n'],
  ['SSH-2.0-OpenSSH_9.6\r\n', 'SSH-2.0-OpenSSH_9.6\r\n'],
  ['\x01\x02nothing that any protocol begins with', '\xff\xfenor this'],
];

const HOW = { time: 1e9, offset: 0, acknowledged: -1, timeKnown: true };

test('pieces of both sides in any order are looked at as everything of their side so far', () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 400; seed += 1) {
    const random = new Random(seed);
    const beginning = BEGINNINGS[seed % BEGINNINGS.length] ?? ['', ''];
    const rest = beginning.map((text) => Buffer.from(text, 'latin1'));
    const sofar: [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)];
    const first = new FirstBytes();
    const reference = new Recognition();
    while (rest.some((bytes) => bytes.length > 0)) {
      const side: Side = random.below(2) === 0 ? SIDE.client : SIDE.server;
      const of = side === SIDE.client ? 0 : 1;
      const bytes = rest[of] ?? Buffer.alloc(0);
      const length = Math.min(bytes.length, 1 + random.below(12));
      if (length === 0) continue;
      rest[of] = bytes.subarray(length);
      // Inside a larger buffer, which the caller uses again.
      const packet = Buffer.concat([Buffer.from('head'), bytes.subarray(0, length), Buffer.from('tail')]);
      sofar[of] = Buffer.concat([sofar[of], bytes.subarray(0, length)]);
      reference.look(sofar[of], 0, sofar[of].length, PORTS.serverPort, PORTS.clientPort);
      const isPossible = first.look(side, packet, 4, 4 + length, PORTS);
      const { protocol, undecided, fromServer } = reference;
      expect(isPossible).toBe(protocol !== undefined || undecided);
      expect([recognition.protocol, recognition.undecided]).toEqual([protocol, undecided]);
      if (protocol !== undefined) expect(recognition.fromServer).toBe(fromServer);
      seen.add(protocol?.name ?? (undecided ? 'undecided' : 'none'));
      if (!isPossible || protocol !== undefined) break;
      expect(first.keep({ ...HOW, side, bytes: packet.subarray(4, 4 + length) })).toBe(true);
      packet.fill(0);
    }
  }
  expect([...seen]).toEqual(expect.arrayContaining(['http', 'http2', 'redis', 'undecided', 'none']));
});

test('what is kept comes back in its order with how it came, and for the other side where the client is the other one', () => {
  const first = new FirstBytes();
  const portions = [SIDE.server, SIDE.client, SIDE.server].map((side, index) => ({
    side,
    bytes: new Uint8Array([index, index]),
    time: index * 1e6,
    offset: 2 * index,
    acknowledged: index - 1,
    timeKnown: index !== 1,
  }));
  for (const portion of portions) first.keep(portion);
  expect(first.portions).toEqual(portions);
  first.swapSides();
  const other = (side: Side) => (side === SIDE.client ? SIDE.server : SIDE.client);
  expect(first.portions).toEqual(portions.map((portion) => ({ ...portion, side: other(portion.side) })));
});

test('PROBE_BYTES of both sides together are kept, and not one more', () => {
  const first = new FirstBytes();
  const bytes = new Uint8Array(PROBE_BYTES / 2);
  expect(first.keep({ ...HOW, side: SIDE.client, bytes })).toBe(true);
  expect(first.keep({ ...HOW, side: SIDE.server, bytes: bytes.subarray(1) })).toBe(true);
  expect(first.keep({ ...HOW, side: SIDE.client, bytes: bytes.subarray(0, 2) })).toBe(false);
  expect(first.portions).toHaveLength(2);
  expect(first.keep({ ...HOW, side: SIDE.client, bytes: bytes.subarray(0, 1) })).toBe(true);
});
