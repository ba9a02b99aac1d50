import { type AddressInfo, connect, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, expect, test } from 'vitest';
import { type ListenerOptions, listenForSessions } from '../../../src/agent/listener/session-listener.ts';
import { SessionKey } from '../../../src/capture/agents/session-key.ts';
import { sessionPath } from '../../../src/wire/session-frame.ts';

let listener: Server;
afterEach(() => listener.close());

const ID = '0123456789abcdef0123456789abcdef';

/** A listener whose sessions keep what they are handed. */
async function opened(options: Pick<ListenerOptions, 'headMs' | 'admits' | 'onlyKey'> = {}) {
  const handed: { head: string }[] = [];
  const children: { ended: () => void }[] = [];
  listener = listenForSessions({
    port: 0,
    start: (ended) => {
      children.push({ ended });
      return {
        connection: (socket, head) => {
          handed.push({ head: head.toString() });
          socket.end('taken');
        },
      };
    },
    ...options,
  });
  await new Promise((resolve) => listener.once('listening', resolve));
  const { port } = listener.address() as AddressInfo;
  const ask = (text: string, host = '127.0.0.1') =>
    new Promise<string>((resolve) => {
      let answer = '';
      const socket = connect(port, host, () => socket.write(text));
      socket.on('data', (chunk) => {
        answer += chunk.toString();
      });
      socket.on('error', (error) => resolve(error.message));
      socket.on('close', () => resolve(answer));
    });
  return { handed, children, ask, port };
}

const head = (word: string, id = ID) =>
  `GET /session/${id}?${word}&window=25000&compress=off HTTP/1.1\r\nHost: a\r\n\r\n`;

test('a new session gets its connection with all that was read of it, a resumed one the same session', async () => {
  const { handed, children, ask } = await opened();
  expect(await ask(head('new'))).toBe('taken');
  expect(await ask(head('resume'))).toBe('taken');
  expect(handed.map(({ head }) => head)).toEqual([head('new'), head('resume')]);
  expect(children).toHaveLength(1);
});

const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const WORDS = { id: ID, windowMs: 25_000, compress: 'off' } as const;

function signed(key: SessionKey, attempt: number) {
  const resumption = { ...WORDS, attempt };
  return { ...resumption, isNew: false, proof: key.sign(resumption) } as const;
}

test('only the client that began a session resumes it, whoever has read its requests', async () => {
  const { handed, ask } = await opened();
  const key = new SessionKey();
  expect(await ask(request(sessionPath({ ...WORDS, isNew: true, key: key.public })))).toBe('taken');
  const first = signed(key, 1);
  expect(await ask(request(sessionPath(first)))).toBe('taken');
  const stolen = [
    head('resume'),
    request(sessionPath(first)),
    request(sessionPath({ ...first, attempt: 2 })),
    request(sessionPath({ ...signed(key, 2), windowMs: 600_000 })),
    request(sessionPath({ ...signed(key, 2), compress: 'on' })),
    request(sessionPath(signed(new SessionKey(), 2))),
  ];
  for (const text of stolen) expect(await ask(text)).toMatch(/^HTTP\/1.1 403 /);
  expect(handed).toHaveLength(2);
  // An attempt may have been lost on its way.
  expect(await ask(request(sessionPath(signed(key, 3))))).toBe('taken');
});

test('of a refused client everything is read, so that its connection ends when it goes', async () => {
  const { port } = await opened({ headMs: 3_600_000 });
  const socket = connect(port, '127.0.0.1', () => socket.write(request('/other')));
  socket.on('error', () => {});
  socket.once('data', () => socket.end('more'.repeat(1_000_000)));
  await new Promise((resolve) => socket.once('close', resolve));
  for (;;) {
    const connections = await new Promise<number>((resolve) => listener.getConnections((_, count) => resolve(count)));
    if (connections === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

test('an agent for one session takes it by its key alone', async () => {
  const key = new SessionKey();
  const { handed, ask } = await opened({ onlyKey: key.public });
  const begin = (text: string | undefined) => ask(request(sessionPath({ ...WORDS, isNew: true, key: text })));
  expect(await begin(new SessionKey().public)).toMatch(/^HTTP\/1.1 403 /);
  expect(await begin(undefined)).toMatch(/^HTTP\/1.1 403 /);
  expect(await begin(key.public)).toBe('taken');
  expect(await ask(request(sessionPath(signed(key, 1))))).toBe('taken');
  expect(handed).toHaveLength(2);
});

test('a session whose key is no point of the curve cannot be resumed', async () => {
  const { ask } = await opened();
  expect(await ask(request(sessionPath({ ...WORDS, isNew: true, key: 'f'.repeat(64) })))).toBe('taken');
  expect(await ask(request(sessionPath(signed(new SessionKey(), 1))))).toMatch(/^HTTP\/1.1 403 /);
});

test.each(['Origin: http://localhost', 'origin:null', 'ORIGIN : x'])('a browser is refused: %s', async (line) => {
  const { handed, ask } = await opened();
  expect(await ask(head('new').replace('Host: a', `Host: a\r\n${line}`))).toMatch(/^HTTP\/1.1 403 /);
  expect(handed).toEqual([]);
});

test.each([
  ['an unknown path', 'GET / HTTP/1.1\r\n\r\n', '404'],
  ['another method', head('new').replace('GET', 'POST'), '404'],
  ['an id that is too short', head('new', ID.slice(1)), '404'],
  ['a session that is unknown', head('resume'), '410'],
])('%s is refused', async (_, text, status) => {
  const { handed, ask } = await opened();
  expect(await ask(text)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(handed).toEqual([]);
});

test('a session that is there cannot be begun again, and one that has ended is gone', async () => {
  const { children, ask } = await opened();
  await ask(head('new'));
  expect(await ask(head('new'))).toMatch(/^HTTP\/1.1 409 /);
  children[0]?.ended();
  expect(await ask(head('resume'))).toMatch(/^HTTP\/1.1 410 /);
});

test('a new session is refused where there is no memory for it; a resumed session needs none', async () => {
  let left = 2;
  const { children, ask } = await opened({
    admits: () => {
      left -= 1;
      return left >= 0;
    },
  });
  const id = (digit: number) => ID.replace('0', String(digit));
  expect(await ask(head('new', id(1)))).toBe('taken');
  expect(await ask(head('new', id(2)))).toBe('taken');
  expect(await ask(head('new', id(3)))).toMatch(/^HTTP\/1.1 507 /);
  expect(await ask(head('resume', id(1)))).toBe('taken');
  expect(children).toHaveLength(2);
});

test('a head without end is cut off', async () => {
  const { ask } = await opened();
  expect(await ask(`GET / HTTP/1.1\r\nX: ${'x'.repeat(9_000)}`)).not.toContain('HTTP');
});

test('nobody is let in but from loopback', async () => {
  const { ask } = await opened();
  const other = Object.values(networkInterfaces())
    .flat()
    .find((one) => one !== undefined && !one.internal && one.family === 'IPv4');
  if (other === undefined) return;
  expect(await ask(head('new'), other.address)).toContain('ECONNREFUSED');
});

test('a head that comes byte by byte is cut off, and so is a refused client that does not hang up', async () => {
  const { port, handed } = await opened({ headMs: 300 });
  const slow = (first: string, each: string) =>
    new Promise<void>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.write(first));
      const drip = setInterval(() => socket.write(each), 50);
      socket.on('error', () => {});
      socket.on('close', () => {
        clearInterval(drip);
        resolve();
      });
      socket.resume();
    });
  await Promise.all([slow('GET /', 'x'), slow('GET / HTTP/1.1\r\n\r\n', 'x'), slow('', 'G')]);
  expect(handed).toEqual([]);
});

test('a connection that was handed over has no deadline', async () => {
  const { ask, handed } = await opened({ headMs: 10 });
  expect(await ask(head('new'))).toBe('taken');
  expect(handed).toHaveLength(1);
});
