import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { ScrapeServer } from '../../../src/run/otlp/scrape-server.ts';

it('answers scrapes with what is counted, and nothing else', async () => {
  const server = await ScrapeServer.listen({ host: '127.0.0.1', port: 0 });
  try {
    const url = `http://127.0.0.1:${server.port}`;
    const before = await fetch(`${url}/metrics`);
    expect([before.status, await before.text()]).toEqual([200, '']);
    let made = 0;
    server.serve(() => {
      made += 1;
      return 'a 1\n';
    });
    await expect.poll(async () => (await fetch(`${url}/metrics?x=1`)).text()).toBe('a 1\n');
    expect((await fetch(`${url}/metrics`)).headers.get('content-type')).toContain('version=0.0.4');
    expect(made).toBe(1);
    expect((await fetch(`${url}/`)).status).toBe(404);
    expect((await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })).status).toBe(405);
    // What no browser sends.
    for (const path of ['//[', '/metrics/../%', 'http://[']) {
      const { status } = await new Promise<{ status: number | undefined }>((resolve, reject) => {
        const request = get({ port: server.port, host: '127.0.0.1', path, agent: false }, (response) => {
          response.resume();
          resolve({ status: response.statusCode });
        });
        request.once('error', reject);
      });
      expect(status).toBe(404);
    }
    await expect(ScrapeServer.listen({ host: '127.0.0.1', port: server.port })).rejects.toMatchObject({
      code: 'CANNOT_LISTEN',
      exit: 2,
    });
  } finally {
    server.close();
  }
});

const BIG = 'a 1\n'.repeat(4_000_000);
const REQUEST = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';

/** Clients that stall: they send nothing, a part of a request, or a request whose response they do not read. */
async function stalled(
  port: number,
  count: number,
): Promise<{ readonly sockets: readonly Socket[]; closed(): number }> {
  let closed = 0;
  const sockets = Array.from({ length: count }, (_, index) => {
    const socket = connect(port, '127.0.0.1', () => {
      if (index % 3 > 0) socket.write(index % 3 === 1 ? REQUEST : REQUEST.slice(0, -2));
    });
    socket.on('error', () => {});
    // Without a reader the end of the connection is not noticed by reading.
    if (index % 3 === 1) socket.pause();
    else socket.resume();
    socket.once('close', () => {
      closed += 1;
    });
    return socket;
  });
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
  return { sockets, closed: () => closed };
}

it('answers a scrape although 20 clients stall, and keeps none of them', async () => {
  const server = await ScrapeServer.listen({ host: '127.0.0.1', port: 0 }, 2_000);
  server.serve(() => BIG);
  const { sockets, closed } = await stalled(server.port, 20);
  try {
    for (let round = 0; round < 3; round += 1) {
      const response = await fetch(`http://127.0.0.1:${server.port}/metrics`);
      expect((await response.text()).length).toBe(BIG.length);
    }
    // Those that read are told by the end of the connection; the others by their next byte.
    await expect
      .poll(
        () => {
          for (const socket of sockets) if (socket.isPaused()) socket.write('x');
          return closed();
        },
        { timeout: 60_000 },
      )
      .toBe(20);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

it('a connection that is asked again and again is not closed', async () => {
  const server = await ScrapeServer.listen({ host: '127.0.0.1', port: 0 }, 3_000);
  const socket = connect(server.port, '127.0.0.1');
  let answers = 0;
  socket.on('data', (chunk: Buffer) => {
    answers += String(chunk).split('HTTP/1.1 200').length - 1;
  });
  try {
    for (let number = 1; number <= 8; number += 1) {
      socket.write(REQUEST);
      await expect.poll(() => answers, { timeout: 10_000 }).toBe(number);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    expect(socket.destroyed).toBe(false);
  } finally {
    socket.destroy();
    server.close();
  }
});
