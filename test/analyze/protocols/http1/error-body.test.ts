import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ERROR_BODY_BYTES, ErrorBody } from '../../../../src/analyze/protocols/http1/error-body.ts';
import { http1 } from '../../../../src/analyze/protocols/http1/index.ts';
import type { AnalysisEvent } from '../../../../src/analyze/record/event.ts';
import { fieldsIn } from '../../../../src/analyze/record/field-values.ts';
import { Random } from '../../../support/random.ts';
import { playCut, type Step } from '../play.ts';

function textOf(body: string | Uint8Array, contentType = 'text/plain', encoding = ''): string | undefined {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const error = new ErrorBody(contentType, encoding);
  for (let at = 0; at < bytes.length; at += 7) error.take(bytes, at, Math.min(bytes.length, at + 7));
  return error.text();
}

describe('the text of an error', () => {
  it.each([
    ['no healthy upstream', 'text/plain', 'no healthy upstream'],
    ['\r\n\n  first \nsecond', 'text/plain; charset=utf-8', 'first'],
    ['{\n  "error": "no cart",\n  "id": 7\n}\n', 'application/json', '{ "error": "no cart", "id": 7 }'],
    ['{"title":"x"}', 'application/problem+json', '{"title":"x"}'],
    ['<html>\n<head><title>503 Service Unavailable</title></head>', 'text/html', '503 Service Unavailable'],
    ['<html><body>no title</body>', 'text/html', undefined],
    ['<Error><Code>NoSuchKey</Code></Error>', 'application/xml', '<Error><Code>NoSuchKey</Code></Error>'],
    ['plain without a type', '', 'plain without a type'],
    ['plain of no type', 'application/octet-stream', 'plain of no type'],
    ['\u0000\u0001binary', 'application/octet-stream', undefined],
    ['', 'text/plain', undefined],
    ['  \n ', 'text/plain', undefined],
    ['x'.repeat(5000), 'text/plain', 'x'.repeat(200)],
  ])('of %j as %s is %j', (body, contentType, text) => {
    expect(textOf(body, contentType)).toBe(text);
  });

  const BODY = Buffer.from(`{"error":"upstream timed out"}${' '.repeat(300)}`);
  it.each([
    ['gzip', gzipSync(BODY)],
    ['x-gzip', gzipSync(BODY)],
    ['deflate', deflateSync(BODY)],
    ['deflate', deflateRawSync(BODY)],
    ['br', brotliCompressSync(BODY)],
    ['zstd', zstdCompressSync(BODY)],
    ['identity', BODY],
    [' GZIP ', gzipSync(BODY)],
  ])('is decompressed from %s', (encoding, compressed) => {
    expect(textOf(compressed, 'application/json', encoding)).toBe('{"error":"upstream timed out"}');
  });

  it('is there for the beginning of a gzip body that is longer than what is kept', () => {
    const random = new Random(7);
    const long = `reason: disk full\n${Array.from({ length: 5000 }, () => random.below(256).toString(16)).join('')}`;
    const compressed = gzipSync(Buffer.from(long));
    expect(compressed.length).toBeGreaterThan(2 * ERROR_BODY_BYTES);
    expect(textOf(compressed, 'text/plain', 'gzip')).toBe('reason: disk full');
  });

  it('is not stated for bombs, damaged bodies and codings that are not known', () => {
    expect(textOf(gzipSync(Buffer.alloc(900_000, 'a')), 'text/plain', 'gzip')).toBe(undefined);
    expect(textOf(brotliCompressSync(Buffer.alloc(50_000_000, 'a')), 'text/plain', 'br')).toBe(undefined);
    expect(textOf('not gzip at all', 'text/plain', 'gzip')).toBe(undefined);
    expect(textOf('abc', 'text/plain', 'compress')).toBe(undefined);
    const random = new Random(3);
    for (let round = 0; round < 300; round += 1) {
      const noise = Uint8Array.from({ length: random.below(200) }, () => random.below(256));
      for (const encoding of ['gzip', 'deflate', 'br', 'zstd', '']) textOf(noise, 'text/plain', encoding);
    }
  });

  it('ends where bytes were not captured', () => {
    const error = new ErrorBody('text/plain', '');
    error.take(Buffer.from('begin'), 0, 5);
    error.cut();
    error.take(Buffer.from('ning'), 0, 4);
    expect(error.text()).toBe('begin');
  });
});

const REQUEST = 'GET /cart HTTP/1.1\r\nHost: shop\r\n\r\n';
const errors = (events: readonly AnalysisEvent[]) =>
  events.flatMap((event) => (event.kind === 'exchange' ? [fieldsIn(event.fields.http)?.error] : []));

it('is in the exchange, however the bytes are cut', () => {
  const plain = 'HTTP/1.1 503 Busy\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n\r\nno upstream\nxx';
  const chunked =
    'HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"e"\r\n9;x=y\r\n:"no one"\r\n1\r\n}\r\n0\r\n\r\n';
  const good = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok';
  const steps: Step[] = [
    [0, REQUEST],
    [1, plain],
    [0, REQUEST],
    [1, chunked],
    [0, REQUEST],
    [1, good],
  ];
  for (const events of playCut(http1, steps)) {
    expect(errors(events)).toEqual(['no upstream', '{"e":"no one"}', undefined]);
  }
});
