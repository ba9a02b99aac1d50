import { expect, test } from 'vitest';
import { completeRotation } from '../../../src/cli/capture/rotation-options.ts';

const NONE = Number.POSITIVE_INFINITY;

test('without a size or a time everything goes into one file', () => {
  expect(completeRotation({}, 'a.pcapng')).toBeUndefined();
  expect(completeRotation({ ring: false }, undefined)).toBeUndefined();
});

test.each([
  [{ fileSize: '5' }, { bytes: 5e6, intervalMs: NONE, files: NONE, ring: false }],
  [{ fileSize: '5Ki' }, { bytes: 5_120, intervalMs: NONE, files: NONE, ring: false }],
  [{ fileTime: '10s' }, { bytes: NONE, intervalMs: 10_000, files: NONE, ring: false }],
  // tcpdump's: with a size -W is a ring, with a time it ends the capture, also with both.
  [
    { fileSize: '5', files: '3' },
    { bytes: 5e6, intervalMs: NONE, files: 3, ring: true },
  ],
  [
    { fileTime: '10s', files: '3' },
    { bytes: NONE, intervalMs: 10_000, files: 3, ring: false },
  ],
  [
    { fileSize: '5', fileTime: '10s', files: '1' },
    { bytes: 5e6, intervalMs: 10_000, files: 1, ring: false },
  ],
  [
    { fileTime: '10s', files: '999999', ring: true },
    { bytes: NONE, intervalMs: 10_000, files: 999_999, ring: true },
  ],
  [
    { fileSize: '5', files: '2', ring: false },
    { bytes: 5e6, intervalMs: NONE, files: 2, ring: true },
  ],
])('%j', (raw, rotation) => {
  expect(completeRotation(raw, 'a.pcapng')).toEqual(rotation);
});

test.each([
  [{ files: '3' }, 'a.pcapng', /need a size or a time/],
  [{ ring: true }, 'a.pcapng', /need a size or a time/],
  [{ fileSize: '5' }, undefined, /need -w FILE/],
  [{ fileTime: '5s' }, '-', /need -w FILE/],
  [{ fileSize: '5', ring: true }, 'a.pcapng', /set their number with -W/],
  [{ fileSize: '5', files: '0' }, 'a.pcapng', /above 0, not "0"/],
  [{ fileSize: '5', files: '-1' }, 'a.pcapng', /above 0/],
  [{ fileSize: '5', files: '1.5' }, 'a.pcapng', /above 0/],
  [{ fileSize: '5', files: '1000000' }, 'a.pcapng', /above 0/],
  [{ fileSize: 'big' }, 'a.pcapng', /-C/],
  [{ fileTime: 'soon' }, 'a.pcapng', /-G/],
])('%j to %s is refused', (raw, path, sentence) => {
  expect(() => completeRotation(raw, path)).toThrow(
    expect.objectContaining({ code: 'USAGE', exit: 2, message: expect.stringMatching(sentence) }),
  );
});
