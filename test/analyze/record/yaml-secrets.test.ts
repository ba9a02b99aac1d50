import { expect, test } from 'vitest';
import { MASK } from '../../../src/analyze/record/mask.ts';
import { maskYaml } from '../../../src/analyze/record/yaml-secrets.ts';

test.each([
  ['dashes with blanks between', `${`${'-                '.repeat(8)}!\n`.repeat(20)}`],
  ['blanks up to a carriage return', `a:${' '.repeat(200_000)}\r!`],
  ['blanks up to a line separator', `a:${' '.repeat(200_000)}\u2028!`],
  ['blanks', `a:${' '.repeat(1_000_000)}b:\n`],
])('a line that is no member takes linear time: %s', { timeout: 600_000 }, (_name, text) => {
  const begun = process.cpuUsage();
  expect(maskYaml(text, false)).toBe(text);
  // Anything else would be a minute.
  expect(process.cpuUsage(begun).user / 1e6).toBeLessThan(20);
});

test('lists in lists, and lines that end in CR LF', () => {
  expect(maskYaml('- - name: TOKEN\n    value: abc\n', false)).toBe(`- - name: TOKEN\n    value: ${MASK}\n`);
  expect(maskYaml('-   -     name: TOKEN\n          value: abc\n', false)).toContain(`value: ${MASK}\n`);
  expect(maskYaml('env:\r\n- name: TOKEN\r\n  value: abc\r\n', false)).not.toContain('abc');
  expect(maskYaml('stringData:\r\n  a: abc\r\n', false)).not.toContain('abc');
});
