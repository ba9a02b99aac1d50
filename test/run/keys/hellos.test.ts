import { expect, test } from 'vitest';
import { type Hello, Hellos } from '../../../src/run/keys/hellos.ts';
import { CaptureFramer } from '../../../src/wire/capture-read.ts';
import { recordTls } from '../../analyze/protocols/tls/decrypt/recorded.ts';
import { tlsCapture } from '../../analyze/protocols/tls/decrypt/tls-capture.ts';
import { packetBlock } from '../../support/packet-blocks.ts';
import { Random } from '../../support/random.ts';

const ETHERNET = 1;

function framesOf(capture: Uint8Array): Buffer[] {
  const frames: Buffer[] = [];
  const framer = new CaptureFramer({
    interface: () => {},
    packet: (bytes, offset, caplen) => void frames.push(Buffer.from(bytes.subarray(offset, offset + caplen))),
  });
  framer.push(capture);
  return frames;
}

function find(hellos: Hellos, bytes: Buffer, interfaceId = 0): Hello | undefined {
  const block = packetBlock({ interfaceId, time: 0n, bytes });
  // Blocks stand anywhere in a buffer.
  return hellos.find(Buffer.concat([Buffer.alloc(12), block]), 12, interfaceId, ETHERNET);
}

test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s: both hellos have the client random of the key log', async (version) => {
  const { steps, keyLog } = await recordTls({ version, talk: [['a', 'b']] });
  const random = /^[A-Z_0-9]+ ([0-9a-f]{64}) /m.exec(keyLog)?.[1];
  const hellos = new Hellos();
  const found = framesOf(tlsCapture(steps)).map((frame) => find(hellos, frame));
  expect(found.filter((hello) => hello !== undefined)).toEqual([
    { from: 'client', random },
    { from: 'server', random },
  ]);
});

test('a ServerHello of another interface, or without its ClientHello, is not assigned to a connection', async () => {
  const frames = framesOf(tlsCapture((await recordTls({ version: 'TLSv1.3', talk: [] })).steps));
  const hellos = new Hellos();
  const [client, server] = frames.filter((frame) => find(hellos, frame) !== undefined);
  if (client === undefined || server === undefined) throw new Error('no hellos');
  expect(find(new Hellos(), server)).toBeUndefined();
  const other = new Hellos();
  expect(find(other, client, 1)?.from).toBe('client');
  expect(find(other, server, 0)).toBeUndefined();
  expect(find(other, server, 1)?.from).toBe('server');
});

test('any bytes are valid input', async () => {
  const frames = framesOf(tlsCapture((await recordTls({ version: 'TLSv1.3', talk: [] })).steps));
  const random = new Random(7);
  const hellos = new Hellos();
  for (let round = 0; round < 20_000; round += 1) {
    const frame = Buffer.from(frames[random.below(frames.length)] ?? []);
    for (let change = 0; change < 3; change += 1) frame[random.below(frame.length)] = random.below(256);
    find(hellos, frame.subarray(0, random.below(frame.length + 1)));
  }
});
