import { expect, test } from 'vitest';
import type { DatagramContext } from '../../../../src/analyze/protocols/protocol.ts';
import { QuicConnection } from '../../../../src/analyze/protocols/quic/connection.ts';
import { readLongHeader } from '../../../../src/analyze/protocols/quic/long-header.ts';
import { ProtectedConnections } from '../../../../src/analyze/protocols/quic/protected-connections.ts';
import { KeyLog } from '../../../../src/analyze/protocols/tls/decrypt/key-log.ts';
import { SIDE } from '../../../../src/analyze/record/event.ts';

const CLIENT_ID = 'c1c2c3c4';

/** A packet of the handshake that the server sends. @param id hexadecimal, by which it wants to be addressed */
function handshakePacket(id: string): Buffer {
  return Buffer.from(
    `e0000000010${CLIENT_ID.length / 2}${CLIENT_ID}0${id.length / 2}${id}4014${'00'.repeat(20)}`,
    'hex',
  );
}

test('however many ids a peer has, those that are remembered are bounded, and none outlives its connection', () => {
  const keys = new KeyLog();
  keys.growing = true;
  const context = { now: 0, place: 0, detail: false, showSecrets: false, keys, emit: () => undefined };
  const connections = new ProtectedConnections(context as DatagramContext);
  const first = handshakePacket('50000000');
  const header = readLongHeader(first, 0, first.length);
  if (header === undefined) throw new Error('no header');
  const handshake = new QuicConnection({ ...header, dcid: 'd1d2d3d4', scid: CLIENT_ID }, 0);
  handshake.random = new Uint8Array(32);
  connections.start(7, handshake);
  for (let count = 0; count < 10_000; count += 1) {
    const packet = handshakePacket((0x50_00_00_00 + count).toString(16));
    const each = readLongHeader(packet, 0, packet.length);
    if (each !== undefined) connections.long(7, SIDE.server, packet, each, packet.length);
  }
  expect(connections.ids).toBeGreaterThan(16);
  expect(connections.ids).toBeLessThanOrEqual(64);
  connections.endFlow(7);
  expect([connections.ids, connections.isEmpty]).toEqual([0, true]);
});
