#!/usr/bin/node
// A bulk transfer over TCP, counted: `transfer serve PORT` sends what is asked of it, `transfer fetch HOST PORT BYTES`
// asks for it. Both print JSON with the interface's packet counters before and after: what the workload sent and received.
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';

const [verb, ...rest] = process.argv.slice(2);

/** Packets sent and received on eth0 by the kernel's own count. */
function packets() {
  const line =
    readFileSync('/proc/net/dev', 'utf8')
      .split('\n')
      .find((row) => row.trim().startsWith('eth0:')) ?? '';
  const fields = line.split(':')[1]?.trim().split(/\s+/).map(Number) ?? [];
  return { received: fields[1] ?? 0, sent: fields[9] ?? 0 };
}

if (verb === 'serve') {
  const block = Buffer.alloc(256 * 1024, 'ksnoop bulk transfer ');
  createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (request) => {
      let left = Number(request.toString());
      const send = () => {
        while (left > 0) {
          const bytes = Math.min(left, block.length);
          left -= bytes;
          if (!socket.write(block.subarray(0, bytes))) return;
        }
        socket.end();
      };
      socket.on('drain', send);
      send();
    });
  }).listen(Number(rest[0] ?? 5300), '::');
  process.on('SIGTERM', () => process.exit(0));
} else if (verb === 'packets') {
  console.log(JSON.stringify(packets()));
} else {
  const [host, port, bytes] = rest;
  const started = Date.now();
  let received = 0;
  const socket = connect({ host, port: Number(port) }, () => socket.write(bytes));
  socket.on('data', (chunk) => {
    received += chunk.length;
  });
  socket.on('close', () => console.log(JSON.stringify({ bytes: received, ms: Date.now() - started })));
  socket.on('error', (error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
