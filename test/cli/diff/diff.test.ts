import { expect, it } from 'vitest';
import { completeDiff, requirePod } from '../../../src/cli/diff/command.ts';

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

it('refuses a pod that the capture does not name, and says which it does', () => {
  const known = ['shop/web-1', 'shop/web-2'];
  expect(() => requirePod('shop/web-1', known, 'a.pcap')).not.toThrow();
  const thrown = (pod: string, pods: readonly string[]) =>
    expect(() => requirePod(pod, pods, 'a.pcap')).toThrow(
      expect.objectContaining({
        code: 'NO_SUCH_POD',
        exit: 3,
        message: `a.pcap has no pod ${pod}.`,
        hint: hints.shift(),
      }),
    );
  const hints = [
    'Did you mean shop/web-1 or shop/web-2?',
    'Its pods: shop/web-1, shop/web-2.',
    'It names no pods: captures that ksnoop writes do.',
  ];
  thrown('shop/web-3', known);
  thrown('svc/x', known);
  thrown('shop/web-1', []);
});
