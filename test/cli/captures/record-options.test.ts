import { expect, test } from 'vitest';
import { completeRecord, type RawRecordOptions } from '../../../src/cli/captures/record-options.ts';

const complete = (raw: RawRecordOptions) => completeRecord(['svc/web'], raw, 'shop');
const trigger = 'http.status >= 500';

test('what the API server takes is taken', () => {
  expect(complete({ ring: '24x50M', bytes: '2G' })).toMatchObject({
    ring: { files: 24, fileBytes: 50_000_000 },
    bytes: 2_000_000_000,
  });
  expect(complete({ trigger, before: '10m', after: '0' }).trigger).toEqual({
    where: trigger,
    beforeMs: 600_000,
    afterMs: 0,
  });
});

test.each<[RawRecordOptions, RegExp]>([
  [{ ring: '0x0' }, /2 to 500 files/],
  [{ ring: '1x50M' }, /2 to 500 files/],
  [{ ring: '501x50M' }, /2 to 500 files/],
  [{ ring: '1e9x1T' }, /2 to 500 files/],
  [{ ring: '24x50' }, /--ring 24x50: the size of a file has no unit/],
  [{ ring: '24x50k' }, /1Mi to 1Gi/],
  [{ ring: '24x2G' }, /1Mi to 1Gi/],
  [{ ring: '2x1T' }, /takes a size/],
  [{ bytes: '1k' }, /1Mi to 1024Gi/],
  [{ bytes: '2000Gi' }, /1Mi to 1024Gi/],
  [{ trigger, before: '11m' }, /0s to 10m/],
  [{ trigger, after: '1h' }, /0s to 10m/],
  [{ before: '1s' }, /of a trigger/],
  [{ duration: '25h' }, /up to 24h/],
  [{ name: '../x' }, /cannot be the name/],
  [{ name: 'Night' }, /cannot be the name/],
])('%j is refused before a cluster is asked', (raw, message) => {
  expect(() => complete(raw)).toThrow(message);
});
