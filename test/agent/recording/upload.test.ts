import { once } from 'node:events';
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { putFile } from '../../../src/agent/recording/upload.ts';
import { HANG_MS } from '../../support/hang.ts';

let directory: string;
let path: string;
let server: Server;
let requests: {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingMessage['headers'];
  body: string;
}[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ksnoop-upload-'));
  path = join(directory, 'piece');
  writeFileSync(path, 'packets');
  requests = [];
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true });
});

async function serving(answer: RequestListener): Promise<string> {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method, url, headers } = request;
    requests.push({ method, url, headers, body });
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/bucket/key?X-Amz-Signature=abc`;
}

const never = new AbortController().signal;

test('a file is sent whole, with the headers of the message', async () => {
  const url = await serving((_, response) => response.setHeader('etag', '"1"').end());
  expect(await putFile(path, 7, { url, headers: { 'x-amz-checksum-sha256': 'abc=' } }, never)).toBe('"1"');
  expect(requests).toMatchObject([
    {
      method: 'PUT',
      url: '/bucket/key?X-Amz-Signature=abc',
      headers: { 'content-length': '7', 'x-amz-checksum-sha256': 'abc=' },
      body: 'packets',
    },
  ]);
});

test('a server that is overloaded is asked again', async () => {
  const url = await serving((_, response) => {
    response.statusCode = requests.length < 2 ? 503 : 200;
    response.end();
  });
  expect(await putFile(path, 7, { url, headers: {} }, never)).toBeUndefined();
  expect(requests).toHaveLength(2);
});

test.each([301, 307, 403])('the status %i is not followed, nor asked for again', async (status) => {
  const url = await serving((_, response) => response.writeHead(status, { location: 'http://169.254.169.254/' }).end());
  await expect(putFile(path, 7, { url, headers: {} }, never)).rejects.toThrow(`answers with the status ${status}`);
  expect(requests).toHaveLength(1);
});

test('what is aborted ends', async () => {
  const abort = new AbortController();
  const url = await serving(() => abort.abort());
  await expect(putFile(path, 7, { url, headers: {} }, abort.signal)).rejects.toThrow('takes nothing');
});

test('a file that is refused before it is read to its end is closed', async () => {
  const bytes = 64 * 1024 * 1024;
  writeFileSync(path, Buffer.alloc(bytes));
  server = createServer((_, response) => response.writeHead(403).end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await expect(putFile(path, bytes, { url, headers: {} }, never)).rejects.toThrow('answers with the status 403');
  await vi.waitUntil(() => !openFiles().includes(path), HANG_MS);
});

function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // That of the directory itself is closed.
      return [];
    }
  });
}
