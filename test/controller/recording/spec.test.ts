import { expect, test } from 'vitest';
import { recordingSpec } from '../../../src/controller/recording/spec.ts';

const MIB = 2 ** 20;
const spec = (bytes: unknown, more = {}) =>
  recordingSpec({
    storage: { destination: 'node' },
    limits: { bytes, ring: { files: 2, fileBytes: MIB } },
    ...more,
  });
const trigger = { where: 'http.status >= 500' };

test('a trigger needs room beside its ring: else nothing would ever be kept', () => {
  expect(spec(2 * MIB)?.maxBytes).toBe(2 * MIB);
  expect(() => spec(2 * MIB, { trigger })).toThrow(/no room beside the ring/);
  expect(spec('3Mi', { trigger })?.maxBytes).toBe(3 * MIB);
});

test('a ring that was not asked for is named in what is refused', () => {
  const limits = { bytes: '64Mi' };
  expect(() => recordingSpec({ storage: { destination: 'node' }, limits, trigger })).toThrow(/with a trigger 128Mi/);
});
