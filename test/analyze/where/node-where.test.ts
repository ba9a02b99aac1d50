import { expect, test } from 'vitest';
import { compileNodeWhere } from '../../../src/analyze/where/node-where.ts';

test.each([
  'http.status >= 500',
  'label == "src.pod"',
  'src.ip == "10.0.0.1" && dst.port == 80',
  'interface == "a/b/any"',
])('%s can be evaluated on a node', (text) => {
  expect(compileNodeWhere(text).matches({})).toBe(false);
});

test.each([
  ['src.pod == "web"', 'src.pod'],
  ['has(dst.service)', 'dst.service'],
  ['dst . name == "x"', 'dst . name'],
  ['dst["pod"] == "x"', 'src or dst as a whole'],
  ['latency > 1', 'The trigger "latency > 1"'],
])('%s is refused', (text, what) => {
  expect(() => compileNodeWhere(text)).toThrow(
    expect.objectContaining({ code: 'BAD_TRIGGER', message: expect.stringContaining(what) }),
  );
});
