/**
 * Traffic with known counts, to be run inside a network namespace:
 * `traffic.ts sink` prints a line once it listens (UDP 7000, TCP 7001; what comes is thrown away) and runs until killed;
 * `traffic.ts udp HOST COUNT BURST BYTES PAUSE_MS` sends numbered datagrams in bursts; `traffic.ts tcp HOST BYTES` sends a stream.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const [verb, host = '', ...numbers] = process.argv.slice(2);
if (verb === 'sink') await sink();
if (verb === 'udp') await udp(numbers.map(Number));
if (verb === 'tcp') await tcp(Number(numbers[0]));

async function sink(): Promise<void> {
  const socket = createSocket('udp4').bind(7000);
  const server = createServer((connection) => connection.on('error', () => {}).resume()).listen(7001);
  await Promise.all([once(socket, 'listening'), once(server, 'listening')]);
  process.stdout.write('listening\n');
}

async function udp([count = 0, burst = 1, bytes = 18, pause = 0]: number[]): Promise<void> {
  const socket = createSocket('udp4');
  socket.connect(7000, host);
  await once(socket, 'connect');
  for (let sent = 0; sent < count; ) {
    const now = Math.min(burst, count - sent);
    const done: Promise<void>[] = [];
    for (let index = 0; index < now; index += 1) {
      const payload = Buffer.alloc(bytes, 'k');
      if (bytes >= 4) payload.writeUInt32BE(sent + index);
      done.push(new Promise((resolve, reject) => socket.send(payload, (error) => (error ? reject(error) : resolve()))));
    }
    await Promise.all(done);
    sent += now;
    if (pause > 0) await sleep(pause);
  }
  socket.close();
}

async function tcp(bytes: number): Promise<void> {
  const socket = connect(7001, host);
  await once(socket, 'connect');
  const chunk = Buffer.alloc(1 << 20, 'k');
  for (let left = bytes; left > 0; left -= chunk.length) {
    if (!socket.write(left < chunk.length ? chunk.subarray(0, left) : chunk)) await once(socket, 'drain');
  }
  socket.end();
  await once(socket, 'close');
}
