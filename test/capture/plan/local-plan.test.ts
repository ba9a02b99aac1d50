import { expect, test } from 'vitest';
import { planLocal } from '../../../src/capture/plan/local-plan.ts';
import { parseCaptureRequest } from '../../../src/wire/agent-protocol.ts';
import { PROTOCOL_TEXT } from '../../../src/wire/version.ts';

test('each word is a target the agent understands', () => {
  const words = ['host', 'netns/client', 'netns//run/netns/a b', 'pid/1', 'pid/4194304', 'pod/web-1', 'po/web-2'];
  const { targets } = planLocal(words, 'shop');
  expect(targets).toEqual([
    { key: 'host', kind: 'host' },
    { key: 'netns/client', kind: 'netns', name: 'client' },
    { key: 'netns//run/netns/a b', kind: 'netns', name: '/run/netns/a b' },
    { key: 'pid/1', kind: 'pid', pid: 1 },
    { key: 'pid/4194304', kind: 'pid', pid: 2 ** 22 },
    { key: 'pod/web-1', kind: 'local-pod', namespace: 'shop', pod: 'web-1' },
    { key: 'po/web-2', kind: 'local-pod', namespace: 'shop', pod: 'web-2' },
  ]);
  const request = {
    type: 'capture',
    protocol: PROTOCOL_TEXT,
    session: '0'.repeat(32),
    targets,
    interface: 'any',
    snaplen: 96,
    maxDurationMs: 1,
  };
  expect(parseCaptureRequest(JSON.stringify(request)).targets).toEqual(targets);
});

test('a word said twice is one target', () => {
  expect(planLocal(['host', 'pid/7', 'host'], 'default').targets.map(({ key }) => key)).toEqual(['host', 'pid/7']);
});

test.each([
  '',
  'web',
  'netns/',
  'netns',
  'host/a',
  'pid/x',
  'pid/-1',
  'pid/0',
  'pid/4194305',
  'pod/',
  'pod/a/b',
  'svc/web',
])('"%s" is wrong use, and what can be named is said', (word) => {
  expect(() => planLocal(['host', word], 'default')).toThrow(
    expect.objectContaining({ code: 'BAD_TARGET', exit: 2, hint: expect.stringContaining('netns/NAME, pid/N, host') }),
  );
});
