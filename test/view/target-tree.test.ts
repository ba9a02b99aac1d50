import { expect, test } from 'vitest';
import { type DryRunView, dryRunLines } from '../../src/view/target-tree.ts';

const pod = (name: string, more: Partial<DryRunView['targets'][number]> = {}) => ({
  kind: 'pod',
  namespace: 'shop',
  name,
  node: 'n1',
  via: ['service/web'],
  owners: ['deployment/web', 'replicaset/web-5'],
  addresses: ['10.244.1.5'],
  agent: 'ready',
  trouble: '',
  ...more,
});
const tree = (...targets: DryRunView['targets']) => {
  const lines = dryRunLines({ context: 'dev', targets, permissions: [], growing: true }, undefined, false);
  return lines.slice(1, lines.indexOf(''));
};

test('from what was asked for over the owners to pods and nodes', () => {
  expect(tree(pod('web-5-a'), pod('web-5-b', { node: 'n2', addresses: ['10.244.2.5', 'fd00::5'] }))).toEqual([
    '           service/web',
    '           └─ deployment/web',
    '              └─ replicaset/web-5',
    'shop             ├─ pod/web-5-a    n1    10.244.1.5          ready',
    'shop             └─ pod/web-5-b    n2    10.244.2.5 fd00::5  ready',
  ]);
});

test('an owner that was asked for is not said twice; what is not above it is left out', () => {
  expect(tree(pod('web-5-a', { via: ['replicaset/web-5'] })).map((line) => line.slice(0, 28).trimEnd())).toEqual([
    '           replicaset/web-5',
    'shop       └─ pod/web-5-a',
  ]);
});

test('the same name in two namespaces, a node, a pod of nobody, and why one cannot be captured', () => {
  const lines = tree(
    pod('a', { owners: [] }),
    pod('a', { owners: [], namespace: 'other' }),
    { ...pod('n1', { via: [], owners: [], addresses: [], namespace: '' }), kind: 'node' },
    pod('lone', { via: [], owners: [], trouble: 'Pod shop/lone has completed.' }),
  );
  expect(lines.map((line) => line.trimEnd().replace(/ {2,}/g, ' '))).toEqual([
    ' service/web',
    'shop └─ pod/a n1 10.244.1.5 ready',
    ' service/web',
    'other └─ pod/a n1 10.244.1.5 ready',
    ' node/n1 n1 ready',
    'shop pod/lone n1 10.244.1.5 Pod shop/lone has completed.',
  ]);
});

test('permissions, those that are missing marked, and control characters shown as text', () => {
  const right = { verb: 'create', resource: 'pods/exec', namespace: 'ksnoop', purpose: 'to capture' };
  const lines = dryRunLines(
    {
      context: 'dev',
      targets: [pod('a\u001b[31m', { via: [], owners: [] })],
      permissions: [
        { ...right, required: true, allowed: false },
        { verb: 'watch', group: 'apps', resource: 'deployments', purpose: 'x', required: false, allowed: true },
      ],
      growing: false,
    },
    undefined,
    false,
  );
  expect(lines.join('\n')).not.toContain('\u001b');
  expect(lines.slice(3)).toEqual([
    '1 target on 1 node',
    '',
    'ALLOWED  PERMISSION              NAMESPACE  FOR',
    'NO       create pods/exec        ksnoop     to capture',
    'yes      watch deployments.apps  all        x',
  ]);
});
