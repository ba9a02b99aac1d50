import { expect, it } from 'vitest';
import { completeDiff } from '../../../src/cli/diff/command.ts';

it('compares two files, or two pods of one', () => {
  expect(completeDiff(['a.pcap', 'b.pcap'], {})).toEqual({ kind: 'files', names: ['a.pcap', 'b.pcap'] });
  expect(completeDiff(['a.pcap', 'shop/web-1', 'shop/web-2'], { by: 'pod' })).toEqual({
    kind: 'pods',
    file: 'a.pcap',
    names: ['shop/web-1', 'shop/web-2'],
  });
});

it.each([
  [['a.pcap'], {}],
  [['a.pcap', 'b.pcap', 'c.pcap'], {}],
  [['-', 'b.pcap'], {}],
  [['a.pcap', 'b.pcap'], { by: 'pod' }],
  [['a.pcap', 'web-1', 'web-2'], { by: 'pod' }],
  [['a.pcap', 'b.pcap'], { by: 'node' }],
  [['a.pcap', 'b.pcap'], { failOn: 'error' }],
])('refuses %o with %o', (words, options) => {
  expect(() => completeDiff(words, options)).toThrow(expect.objectContaining({ code: 'USAGE' }));
});
