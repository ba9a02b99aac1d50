// A bucket behind https whose certificate is of an authority that only the administrator's definition names: a real S3 with TLS.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { putFile } from '../../../src/agent/recording/upload.ts';
import type { CaptureView } from '../../../src/controller/capture-object.ts';
import { type Destination, destinationsIn } from '../../../src/controller/recording/destinations.ts';
import { presign } from '../../../src/controller/recording/presign.ts';
import { objectKey, uploadOf } from '../../../src/controller/recording/uploads.ts';
import { getObject } from '../../../src/run/recording/get-object.ts';
import { issue, makeAuthority } from '../../support/certificates.ts';
import { playedPiece } from '../../support/played-recordings.ts';
import { type S3Server, startS3 } from '../../support/s3-server.ts';

const BYTES = Buffer.from('packets of a recording');
const FILE = 'node1-00000000/00001.pcapng';
const capture = { namespace: 'shop', name: 'night', uid: '00000000-0000-4000-8000-00000000000c' } as CaptureView;
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-tls-'));
const authority = makeAuthority('s3 of the company');
const { signal } = new AbortController();
let server: S3Server;
let destination: Destination;

beforeAll(async () => {
  server = await startS3('127.0.0.1', issue(authority, { name: 's3', hosts: ['127.0.0.1'] }));
  // As the kubelet mounts the ConfigMap and the Secret.
  const [definitions, keys] = [join(directory, 'definitions'), join(directory, 'keys')];
  mkdirSync(definitions);
  mkdirSync(keys);
  const endpoint = `https://127.0.0.1:${server.port}`;
  const definition = { type: 's3', endpoint, bucket: 'captures', forcePathStyle: true, ca: authority.certificate };
  writeFileSync(join(definitions, 'archive'), JSON.stringify(definition));
  writeFileSync(join(keys, 'archive.accessKeyId'), server.accessKeyId);
  writeFileSync(join(keys, 'archive.secretAccessKey'), server.secretAccessKey);
  const found = destinationsIn(definitions, keys)('archive', 'shop');
  if (typeof found === 'string' || 'claim' in found) throw new Error(JSON.stringify(found));
  destination = found;
  writeFileSync(join(directory, 'piece'), BYTES);
}, 600_000);
afterAll(async () => {
  await server?.close();
  rmSync(directory, { recursive: true });
});

const upload = () => uploadOf(destination, capture, { file: FILE, piece: playedPiece('', BYTES), now: Date.now() });

const send = (ca: string | undefined) => {
  const { url, headers } = upload();
  const aborting = AbortSignal.timeout(60_000);
  return putFile(join(directory, 'piece'), BYTES.length, { url, headers, ...(ca !== undefined && { ca }) }, aborting);
};

async function got(ca: string | undefined): Promise<string> {
  const key = objectKey(destination, capture, FILE);
  const url = presign(destination.bucket, { method: 'GET', key, expiresS: 60, now: Date.now() });
  const chunks: Uint8Array[] = [];
  for await (const chunk of await getObject({ url: url.href, ca }, 0, signal)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('agents send to the endpoint and ksnoop get reads from it with the authority of the definition', async () => {
  expect(upload().ca).toBe(authority.certificate);
  await send(upload().ca);
  expect(await got(destination.ca)).toBe(BYTES.toString());
});

test('an endpoint that another authority has certified gets nothing, and gives nothing', async () => {
  const other = makeAuthority('s3 of the company').certificate;
  for (const ca of [undefined, other]) {
    await expect(send(ca)).rejects.toThrow(/takes nothing: .*(certificate|issuer|signature)/);
    await expect(got(ca)).rejects.toMatchObject({ code: 'UNREACHABLE' });
  }
}, 240_000);
