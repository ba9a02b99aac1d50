import { expect, test } from 'vitest';
import { parseFilter, parseTarget } from '../../src/wire/agent-target.ts';
import { FILTER_MAXIMUM, PID_MAXIMUM } from '../../src/wire/limits.ts';

const POD = {
  key: 'a',
  kind: 'pod',
  namespace: 'shop',
  pod: 'web-1',
  uid: 'u',
  containers: [{ name: 'main', id: 'containerd://1' }],
  hostNetwork: false,
};

const REFUSED = expect.objectContaining({ code: 'INVALID_MESSAGE' });

test("a pod that is waited for, and one of its node's network", () => {
  expect(parseTarget(POD, 'target')).toEqual(POD);
  expect(parseTarget({ ...POD, wait: true, hostNetwork: true }, 'target')).toEqual({
    ...POD,
    wait: true,
    hostNetwork: true,
  });
  // What is not said is not so.
  const { hostNetwork, ...little } = POD;
  expect(parseTarget({ ...little, wait: false }, 'target')).toEqual({ ...little, hostNetwork });
  expect(parseTarget({ ...POD, wait: 'yes', hostNetwork: 'yes' }, 'target')).toEqual(POD);
});

test.each(['key', 'namespace', 'pod', 'uid'])('a pod without %s is refused, and so is one that is too long', (name) => {
  expect(() => parseTarget({ ...POD, [name]: undefined }, 'target')).toThrow(REFUSED);
  expect(() => parseTarget({ ...POD, [name]: 'x'.repeat(513) }, 'target')).toThrow(REFUSED);
});

test('each container has a name and an id', () => {
  for (const containers of [[{ name: 'main' }], [{ id: '1' }], ['main']]) {
    expect(() => parseTarget({ ...POD, containers }, 'target')).toThrow(REFUSED);
  }
  expect(parseTarget({ ...POD, containers: undefined }, 'target')).toMatchObject({ containers: [] });
});

test('a process id is one of Linux', () => {
  for (const pid of [1, 77, PID_MAXIMUM]) {
    expect(parseTarget({ key: 'a', kind: 'pid', pid }, 'target')).toEqual({ key: 'a', kind: 'pid', pid });
  }
  for (const pid of [0, -1, PID_MAXIMUM + 1, 1.5, '1', undefined]) {
    expect(() => parseTarget({ key: 'a', kind: 'pid', pid }, 'target')).toThrow(REFUSED);
  }
});

test('other kinds have what they need and no more', () => {
  for (const target of [
    { key: 'a', kind: 'local-pod', namespace: 'shop', pod: 'web' },
    { key: 'a', kind: 'netns', name: '/run/netns/x' },
    { key: 'a', kind: 'host' },
    { key: 'a', kind: 'host', filter: 'tcp' },
  ]) {
    expect(parseTarget({ ...target, more: 1 }, 'target')).toEqual(target);
  }
  for (const target of [
    { key: 'a', kind: 'local-pod', namespace: 'shop' },
    { key: 'a', kind: 'local-pod', pod: 'web' },
    { key: 'a', kind: 'netns' },
    { key: 'a', kind: 'cluster' },
    { key: 'a' },
    'host',
    undefined,
  ]) {
    expect(() => parseTarget(target, 'target')).toThrow(REFUSED);
  }
});

test('a filter is bounded by its bytes, not by its characters', () => {
  expect(parseFilter({}, 'request')).toEqual({});
  const longest = 'x'.repeat(FILTER_MAXIMUM);
  expect(parseFilter({ filter: longest }, 'request')).toEqual({ filter: longest });
  const refused = expect.objectContaining({ code: 'BAD_FILTER', message: expect.stringContaining('4097 bytes') });
  expect(() => parseFilter({ filter: `${longest}x` }, 'request')).toThrow(refused);
  expect(() => parseFilter({ filter: 'ß'.repeat(FILTER_MAXIMUM / 2 + 1) }, 'request')).toThrow(/4098 bytes/);
  expect(() => parseFilter({ filter: '' }, 'request')).toThrow(REFUSED);
});

test.each([
  ['pod', 'namespace', 253],
  ['pod', 'pod', 253],
  ['local-pod', 'namespace', 253],
  ['local-pod', 'pod', 253],
  ['netns', 'name', 4096],
])('of %s, %s has at most %i characters', (kind, name, maximum) => {
  const target = { ...POD, kind, name: 'x' };
  expect(parseTarget({ ...target, [name]: 'x'.repeat(maximum) }, 'target')).toMatchObject({
    [name]: 'x'.repeat(maximum),
  });
  expect(() => parseTarget({ ...target, [name]: 'x'.repeat(maximum + 1) }, 'target')).toThrow(REFUSED);
});
