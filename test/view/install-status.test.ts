import { expect, test } from 'vitest';
import { Colours } from '../../src/view/colour.ts';
import { type StatusView, statusLines } from '../../src/view/install-status.ts';

const node = { node: 'worker-1', pod: 'ksnoop-agent-x', state: 'ready', reason: '', restarts: 0 };
const status: StatusView = {
  context: 'prod',
  namespace: 'ksnoop',
  installed: true,
  image: 'ksnoop-agent:1',
  version: '0.1.0',
  desired: 2,
  ready: 1,
  trouble: '',
  nodes: [node, { ...node, node: 'worker-2', state: 'waiting', reason: 'ErrImagePull: not found', restarts: 12 }],
};

test('a headline, the image, and the nodes in a table', () => {
  expect(statusLines(status, new Colours(false))).toEqual([
    '1 of 2 agents ready in context prod, namespace ksnoop',
    'image ksnoop-agent:1, installed by ksnoop 0.1.0',
    'NODE      POD             STATE    RESTARTS  REASON',
    'worker-1  ksnoop-agent-x  ready           0',
    'worker-2  ksnoop-agent-x  waiting        12  ErrImagePull: not found',
  ]);
});

test('what each agent may use, and uses where the cluster measures it', () => {
  const resources = { requests: { cpu: '10m', memory: '48Mi' }, limits: { memory: '512Mi' } };
  const usage = { cpuMillis: 12, memoryBytes: 61_000_000 };
  expect(statusLines({ ...status, resources, nodes: [{ ...node, usage }, node] }, new Colours(false)).slice(2)).toEqual(
    [
      'each agent: CPU 10m requested, no limit; memory 48Mi requested, 512Mi at most',
      'NODE      POD             STATE  RESTARTS  CPU   MEMORY',
      'worker-1  ksnoop-agent-x  ready         0  12m  61.0 MB',
      'worker-1  ksnoop-agent-x  ready         0',
    ],
  );
});

test('the controllers of Captures, and what they need and do not have', () => {
  const line = (captures: StatusView['captures']) => statusLines({ ...status, captures }, new Colours(false))[2];
  expect(line({ desired: 2, ready: 2, reason: '', missing: [] })).toBe('Captures of tenants: 2 of 2 controllers ready');
  const missing = ['ValidatingAdmissionPolicy captures.ksnoop.io'];
  expect(line({ desired: 2, ready: 0, reason: 'ErrImagePull', missing })).toBe(
    'Captures of tenants: 0 of 2 controllers ready; ErrImagePull; ValidatingAdmissionPolicy captures.ksnoop.io is missing',
  );
});

test('what is observed, and why its pod does not run', () => {
  const line = (observe: StatusView['observe']) => statusLines({ ...status, observe }, new Colours(false))[2];
  const running = { targets: ['svc/web'], namespaces: ['shop'], available: true, restarts: 0, reason: '' };
  expect(line(running)).toBe('observing svc/web in shop: running');
  expect(line({ ...running, namespaces: undefined, available: false, restarts: 2, reason: 'CrashLoopBackOff' })).toBe(
    'observing svc/web in all namespaces: not running, 2 restarts; CrashLoopBackOff',
  );
});

test('what a registry or a container said does not reach the terminal as orders', () => {
  const evil = 'x\u001b[2J\u202ey';
  const lines = statusLines(
    { ...status, image: evil, trouble: evil, context: evil, nodes: [{ ...node, reason: evil }] },
    new Colours(false),
  );
  expect(lines.join('')).not.toMatch(/[\u001b\u202e]/);
  expect(lines.join('\n').match(/x\\x1b\[2J\\u202ey/g)).toHaveLength(4);
  expect(statusLines({ ...status, installed: false, context: evil }, new Colours(false)).join()).not.toContain(
    '\u001b',
  );
});
