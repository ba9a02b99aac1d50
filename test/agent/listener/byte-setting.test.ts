import { expect, test } from 'vitest';
import { byteSetting } from '../../../src/agent/listener/byte-setting.ts';

test('a number of bytes is taken, anything else is reported and leaves the default', () => {
  const logged: string[] = [];
  const of = (text: string | undefined) => byteSetting('KSNOOP_RECORDINGS_BYTES', text, (line) => logged.push(line));
  expect(['0', '6442450944', undefined].map(of)).toEqual([0, 6_442_450_944, undefined]);
  expect(logged).toEqual([]);
  const wrong = ['', '6Gi', '-1', '1e9', ' 1', '9999999999999999', '9'.repeat(400)];
  expect(wrong.map(of)).toEqual(wrong.map(() => undefined));
  expect(logged).toHaveLength(wrong.length);
  expect(logged[1]).toMatch(/^KSNOOP_RECORDINGS_BYTES takes a number of bytes.*not "6Gi": the default is used$/);
});
