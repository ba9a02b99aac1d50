import { expect, test } from 'vitest';
import { sentence } from '../../../src/cli/extcap/sentence.ts';

test('a name from the cluster cannot control a terminal', () => {
  const text = sentence('value', { arg: 1, value: 'a\x1b]0;x\x07\x9b31m\u202eb', display: '}{arg=2' });
  expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(text).toBe('value {arg=1}{value=a\\x1b]0;x\\x07\\x9b31m\\u202eb}{display=)(arg=2}');
});
