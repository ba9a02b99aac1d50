import { expect, test } from 'vitest';
import { objectUrl, presign } from '../../../src/controller/recording/presign.ts';

const bucket = {
  endpoint: new URL('https://s3.amazonaws.com'),
  name: 'examplebucket',
  region: 'us-east-1',
  forcePathStyle: false,
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

// The example of "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)", Amazon S3 API reference.
test('a URL is signed as Amazon signs its own example', () => {
  const now = Date.parse('2013-05-24T00:00:00Z');
  const url = presign(bucket, { method: 'GET', key: 'test.txt', expiresS: 86_400, now });
  expect(url.href).toBe(
    'https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256' +
      '&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z' +
      '&X-Amz-Expires=86400&X-Amz-SignedHeaders=host' +
      '&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  );
});

test('a signature depends on the method, the object, the time and the headers', () => {
  const request = { method: 'PUT', key: 'a/b', expiresS: 900, now: 1_800_000_000_000 } as const;
  const of = (changes: object) => presign(bucket, { ...request, ...changes }).searchParams.get('X-Amz-Signature');
  const changes = [{}, { method: 'GET' }, { key: 'a/c' }, { now: 1_800_000_001_000 }, { headers: { 'x-amz-a': '1' } }];
  expect(new Set(changes.map(of)).size).toBe(changes.length);
  const { searchParams } = presign(bucket, { ...request, headers: { 'x-amz-checksum-sha256': 'x' } });
  expect(searchParams.get('X-Amz-SignedHeaders')).toBe('host;x-amz-checksum-sha256');
});

test('names of objects are encoded, and a bucket may be in the path', () => {
  const local = { ...bucket, endpoint: new URL('http://10.0.0.1:7070'), forcePathStyle: true };
  expect(objectUrl(local, "shop/a b*'?#/1.pcapng").href).toBe(
    'http://10.0.0.1:7070/examplebucket/shop/a%20b%2A%27%3F%23/1.pcapng',
  );
});
