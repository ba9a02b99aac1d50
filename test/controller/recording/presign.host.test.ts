// Presigned URLs as a real S3 takes them.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CaptureView } from '../../../src/controller/capture-object.ts';
import type { Destination } from '../../../src/controller/recording/destinations.ts';
import { presign } from '../../../src/controller/recording/presign.ts';
import { objectKey, uploadOf } from '../../../src/controller/recording/uploads.ts';
import { getObject } from '../../../src/run/recording/get-object.ts';
import { playedPiece } from '../../support/played-recordings.ts';
import { type S3Server, startS3 } from '../../support/s3-server.ts';

const BYTES = Buffer.from('packets of a recording');
const FILE = 'node1-00000000/00001.pcapng';
const capture = { namespace: 'shop', name: 'night', uid: '00000000-0000-4000-8000-00000000000c' } as CaptureView;
let server: S3Server;
let destination: Destination;
const { signal } = new AbortController();

beforeAll(async () => {
  server = await startS3();
  const { port, accessKeyId, secretAccessKey } = server;
  const endpoint = new URL(`http://127.0.0.1:${port}`);
  const bucket = {
    endpoint,
    name: 'captures',
    region: 'us-east-1',
    forcePathStyle: true,
    accessKeyId,
    secretAccessKey,
  };
  destination = { name: 'archive', prefix: 'ksnoop/', ca: undefined, bucket };
}, 600_000);
afterAll(() => server?.close());

const upload = (now = Date.now()) =>
  uploadOf(destination, capture, { file: FILE, piece: playedPiece('00001.pcapng', BYTES), now });

async function put(body: Buffer, { url, headers } = upload(), method = 'PUT'): Promise<number> {
  const response = await fetch(url, { method, headers, ...(method === 'PUT' && { body: new Uint8Array(body) }) });
  await response.arrayBuffer();
  return response.status;
}

async function got(from: number, more: { key?: string; now?: number } = {}): Promise<string> {
  const { key = objectKey(destination, capture, FILE), now = Date.now() } = more;
  const url = presign(destination.bucket, { method: 'GET', key, expiresS: 60, now });
  const chunks: Uint8Array[] = [];
  for await (const chunk of await getObject({ url: url.href, ca: undefined }, from, signal)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('a URL lets its holder send the one file, with its SHA-256, and get it again from any byte', async () => {
  expect(await put(BYTES)).toBe(200);
  expect(await got(0)).toBe(BYTES.toString());
  expect(await got(8)).toBe('of a recording');
});

test('nothing else can be done with it', async () => {
  // Other bytes.
  expect(await put(Buffer.from('packets of an attacker'))).toBe(400);
  // Another checksum than was signed.
  const other = createHash('sha256').update('x').digest('base64');
  expect(await put(Buffer.from('x'), { ...upload(), headers: { 'x-amz-checksum-sha256': other } })).toBe(403);
  // Another object, another method, a signature of another time.
  expect(await put(BYTES, { ...upload(), url: upload().url.replace('00001', '00002') })).toBe(403);
  expect(await put(BYTES, upload(), 'DELETE')).toBe(403);
  expect(await put(BYTES, upload(Date.now() - 3_600_000))).toBe(403);
  await expect(got(0, { now: Date.now() - 3_600_000 })).rejects.toMatchObject({ code: 'API_ERROR' });
  await expect(got(0, { key: 'elsewhere' })).rejects.toMatchObject({ code: 'API_ERROR' });
  expect(await got(0)).toBe(BYTES.toString());
});
