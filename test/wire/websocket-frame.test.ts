import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { CLIENT_FRAME_MAXIMUM, clientFrame } from '../../src/wire/websocket-frame.ts';

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
afterAll(() => {
  for (const client of server.clients) client.terminate();
  server.close();
});

const HANDSHAKE =
  'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

test.each([0, 1, 125, 126, 4_000, CLIENT_FRAME_MAXIMUM])('a server reads a message of %i bytes', async (length) => {
  const payload = Uint8Array.from({ length }, (_, index) => index * 7);
  const message = new Promise<unknown>((resolve) => {
    server.once('connection', (socket) => socket.once('message', (data, isBinary) => isBinary && resolve(data)));
  });
  const address = server.address();
  const socket = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1');
  await once(socket, 'connect');
  // The frame does not wait for the server's answer.
  socket.write(HANDSHAKE);
  socket.write(clientFrame(payload, Uint8Array.of(1, 200, 3, 255)));
  expect(Buffer.compare(Buffer.from((await message) as Buffer), Buffer.from(payload))).toBe(0);
  socket.destroy();
});

test('a frame as RFC 6455, section 5.7, has it', () => {
  const frame = clientFrame(Buffer.from('Hello'), Uint8Array.of(0x37, 0xfa, 0x21, 0x3d));
  expect(Buffer.from(frame).toString('hex')).toBe('828537fa213d7f9f4d5158');
});

test('a longer message is refused', () => {
  expect(() => clientFrame(new Uint8Array(CLIENT_FRAME_MAXIMUM + 1), new Uint8Array(4))).toThrow(RangeError);
});
