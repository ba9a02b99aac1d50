// The shop's api: a small HTTP service that counts in the cache (redis, RESP2 over one connection per request).
import { createServer } from 'node:http';
import { connect } from 'node:net';

const CACHE = { host: process.env.CACHE_HOST ?? 'cache', port: 6379 };

/** INCR a counter in the cache; the answer's number. */
function count(key) {
  return new Promise((resolve, reject) => {
    const socket = connect(CACHE);
    let answer = '';
    socket.setTimeout(5000, () => socket.destroy(new Error('the cache did not answer')));
    socket.on('connect', () => socket.write(`*2\r\n$4\r\nINCR\r\n$${Buffer.byteLength(key)}\r\n${key}\r\n`));
    socket.on('data', (chunk) => {
      answer += chunk;
      if (answer.endsWith('\r\n')) socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(Number(answer.slice(1))));
  });
}

const routes = {
  '/ok': async (response) => response.end(JSON.stringify({ count: await count('ok') })),
  '/redirect': async (response) => response.writeHead(302, { location: '/ok' }).end(),
  '/unavailable': async (response) => response.writeHead(503).end('busy\n'),
  '/slow': async (response) => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    response.end('slow\n');
  },
};

createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://api');
  try {
    const route = routes[pathname === '/' ? '/ok' : pathname];
    if (route) await route(response);
    else response.writeHead(404).end('no such thing\n');
  } catch (error) {
    response.writeHead(502).end(`${error.message}\n`);
  }
}).listen(8080, '::');

process.on('SIGTERM', () => process.exit(0));
