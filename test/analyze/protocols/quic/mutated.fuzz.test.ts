import { createCipheriv } from 'node:crypto';
import { expect, test } from 'vitest';
import { HeaderProtection, payloadKeys } from '../../../../src/analyze/protocols/quic/packet-protection.ts';
import { packetSuites } from '../../../../src/analyze/protocols/quic/packet-suite.ts';
import { ProtectedPackets } from '../../../../src/analyze/protocols/quic/protected-packets.ts';
import { Random } from '../../../support/random.ts';
import { AIOQUIC, analyse, exchanges, keysOf, QUIC_GO, recordsOf, words } from './http3-recorded.ts';

const PACKETS = 1_000_000;
const CONVERSATIONS = 500;
/** Ethernet, IPv4 and UDP, behind a record's header. */
const HEADERS = 16 + 42;

/** A packet with a short header and an id of four bytes, protected as RFC 9001 section 5 has it. */
function sealed(secret: Buffer, number: number, payload: Buffer): Buffer {
  const [suite] = packetSuites(0x1301, secret.length);
  if (suite === undefined) throw new Error('no suite');
  const { key, iv } = payloadKeys(secret, suite, 'quic ');
  const header = Buffer.from([0x41, 1, 2, 3, 4, number >>> 8, number & 0xff]);
  const nonce = Buffer.from(iv);
  nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ number) >>> 0, 8);
  const cipher = createCipheriv('aes-128-gcm', key, nonce);
  cipher.setAAD(header);
  const body = Buffer.concat([cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
  const packet = Buffer.concat([header, body]);
  const protection = new HeaderProtection(secret, suite, 'quic ');
  const mask = createCipheriv('aes-128-ecb', protection.key, null).update(packet.subarray(9, 25));
  packet[0] = (packet[0] as number) ^ ((mask[0] as number) & 0x1f);
  for (let index = 0; index < 2; index += 1)
    packet[5 + index] = (packet[5 + index] as number) ^ (mask[1 + index] as number);
  return packet;
}

test(`of ${PACKETS} packets with changed bytes none is opened`, { timeout: 1_200_000 }, () => {
  const secret = Buffer.alloc(32, 9);
  const suites = packetSuites(0x1301, 32);
  const labels = [{ keys: 'quic ', update: 'quic ku' }];
  const packet = sealed(secret, 7, Buffer.from('08000102', 'hex'));
  const place = { start: 0, number: 5, end: packet.length };
  expect(new ProtectedPackets(secret, suites, labels, true).open(packet, place)?.number).toBe(7);
  const random = new Random(1);
  const packets = new ProtectedPackets(secret, suites, labels, true);
  let opened = 0;
  for (let count = 0; count < PACKETS; count += 1) {
    // The id is not what the packet is opened by, but its tag covers it.
    const at = random.below(packet.length);
    const before = packet[at] as number;
    packet[at] = before ^ (1 + random.below(255));
    if (packets.open(packet, place, true) !== undefined) opened += 1;
    packet[at] = before;
  }
  expect(opened).toBe(0);
});

test.each([
  ['aioquic', AIOQUIC],
  ['quic-go', QUIC_GO],
])(
  `${CONVERSATIONS} captures of %s with changed packets give only what was sent, and never throw`,
  { timeout: 1_800_000 },
  (_name, recorded) => {
    const truth = new Set(
      exchanges(analyse(recorded, recordsOf(recorded.capture), keysOf(recorded.keyLog))).map(words),
    );
    for (let seed = 1; seed <= CONVERSATIONS; seed += 1) {
      const random = new Random(seed);
      const changed = recordsOf(recorded.capture).flatMap((record) => {
        if (random.below(6) > 0 || record.length <= HEADERS + 1) return [record];
        const copy = Buffer.from(record);
        const kind = random.below(4);
        // The headers stay: the layers below are not what is tried here.
        if (kind === 0) copy[HEADERS + random.below(copy.length - HEADERS)] = random.below(256);
        else if (kind === 1) copy.fill(random.below(256), HEADERS + random.below(copy.length - HEADERS));
        else if (kind === 2) return [record, copy];
        else return [];
        return [copy];
      });
      for (const exchange of exchanges(analyse(recorded, changed, keysOf(recorded.keyLog), seed % 2 === 0))) {
        if (exchange.incomplete !== undefined) continue;
        if (seed % 2 === 0)
          expect([seed, words(exchange), truth.has(words(exchange))]).toEqual([seed, words(exchange), true]);
      }
    }
  },
);
