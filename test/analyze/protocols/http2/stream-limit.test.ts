import { expect, test } from 'vitest';
import { StreamLimit } from '../../../../src/analyze/protocols/http2/stream-limit.ts';

/** Settings of a server: HEADER_TABLE_SIZE, then MAX_CONCURRENT_STREAMS. */
function settings(streams: number): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 1);
  view.setUint32(2, 4096);
  view.setUint16(6, 3);
  view.setUint32(8, streams);
  return bytes;
}

/** Requests, each `wait` ns behind the end of another. @returns the number of each that is reported, from 1 */
function reported(limit: StreamLimit, open: number, wait: number, requests = 60): number[] {
  const found: number[] = [];
  for (let request = 1; request <= requests; request += 1) {
    limit.ended(request * 1e9);
    if (limit.opened(open, request * 1e9 + wait) !== undefined) found.push(request);
  }
  return found;
}

function limited(streams: number): StreamLimit {
  const limit = new StreamLimit();
  limit.settings(settings(streams), 0, 12);
  return limit;
}

test('the 20th request that takes the last stream within 1 ms of the end of another is reported, and none after it', () => {
  expect(reported(limited(100), 100, 1e6)).toEqual([20]);
});

test('a request that comes later, or leaves a stream free, has not waited', () => {
  expect(reported(limited(100), 100, 1e6 + 1)).toEqual([]);
  expect(reported(limited(100), 99, 0)).toEqual([]);
  expect(reported(new StreamLimit(), 1e6, 0)).toEqual([]);
});

test('while no stream has ended nothing has waited', () => {
  expect(limited(1).opened(1, 0)).toBeUndefined();
});

test('the event states the limit, of 32 bits', () => {
  const limit = limited(0xffff_fff0);
  for (let request = 1; request < 20; request += 1) {
    limit.ended(0);
    expect(limit.opened(0xffff_fff0, 1)).toBeUndefined();
  }
  expect(limit.opened(0xffff_fff0, 1)).toMatchObject({
    code: 'HTTP2_STREAM_LIMIT',
    label: '20 requests waited for the limit of 4294967280 streams',
    time: 1,
    failed: false,
  });
});

test('settings that are cut short are not read', () => {
  const limit = new StreamLimit();
  limit.settings(settings(1), 0, 11);
  expect(reported(limit, 100, 0)).toEqual([]);
});
