import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { DESCRIPTION } from '../../daemonset/image/description.ts';
import { EXEC_CAPTURES, EXEC_FILE_BYTES, SPOOL_FILES_BYTES } from '../../src/agent/limits.ts';
import { readKustomization } from '../../src/capture/install/manifests.ts';
import { type JsonObject, objectAt, objectsAt } from '../../src/wire/guard.ts';

const directory = join(import.meta.dirname, '../../daemonset');
let objects: JsonObject[];
let template: JsonObject;
let agent: JsonObject;

/** The pod's spec of the DaemonSet among objects. */
function podOf(all: readonly JsonObject[]): JsonObject {
  const daemonSet = all.find(({ kind }) => kind === 'DaemonSet') ?? {};
  return objectAt(objectAt(objectAt(daemonSet, 'spec'), 'template'), 'spec');
}

beforeAll(() => {
  objects = readKustomization(join(directory, 'base'));
  template = podOf(objects);
  agent = objectsAt(template, 'containers')[0] ?? {};
});

test('four objects in an order that can be applied, labelled', () => {
  const kinds = objects.map(({ kind }) => kind);
  expect(kinds).toEqual(['Namespace', 'ServiceAccount', 'NetworkPolicy', 'DaemonSet']);
  const names = objects.map(({ metadata }) => Object(Object(metadata).labels)['app.kubernetes.io/name']);
  expect(names).toEqual(['ksnoop', 'ksnoop-agent', 'ksnoop-agent', 'ksnoop-agent']);
});

test('the namespace admits the agents, and nobody connects to them', () => {
  const [namespace, , policy] = objects;
  expect(objectAt(namespace ?? {}, 'metadata').labels).toMatchObject({
    'pod-security.kubernetes.io/enforce': 'privileged',
  });
  expect(policy?.spec).toEqual({
    podSelector: { matchLabels: { 'app.kubernetes.io/name': 'ksnoop-agent' } },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [],
    egress: [],
  });
});

test('no rights at the API server: no role and no token', () => {
  expect(objects.filter(({ apiVersion }) => String(apiVersion).startsWith('rbac'))).toEqual([]);
  expect(objects[1]?.automountServiceAccountToken).toBe(false);
  expect(template).toMatchObject({ serviceAccountName: 'ksnoop-agent', automountServiceAccountToken: false });
});

test('only what a capture needs on the node', () => {
  expect(template).toMatchObject({
    hostPID: true,
    hostNetwork: false,
    securityContext: { seccompProfile: { type: 'RuntimeDefault' }, appArmorProfile: { type: 'Unconfined' } },
  });
  // Nothing of the node's: a directory of its own, as large as all captures' files may become.
  expect(template.volumes).toEqual([{ name: 'spool', emptyDir: { sizeLimit: '8Gi' } }]);
  expect(SPOOL_FILES_BYTES + EXEC_CAPTURES * EXEC_FILE_BYTES).toBeLessThanOrEqual(8 * 1024 ** 3);
  expect(template).not.toHaveProperty('hostIPC');
  expect(agent.securityContext).toEqual({
    privileged: false,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'], add: ['NET_RAW', 'SYS_ADMIN', 'SYS_PTRACE', 'SETUID', 'SETGID', 'SETPCAP', 'KILL'] },
  });
});

test('on every Linux node of the architectures there is an image for', () => {
  expect(template.tolerations).toEqual([{ operator: 'Exists' }]);
  expect(template.nodeSelector).toEqual({ 'kubernetes.io/os': 'linux' });
  expect(JSON.stringify(template.affinity)).toContain(
    JSON.stringify({ key: 'kubernetes.io/arch', operator: 'In', values: Object.keys(DESCRIPTION.architectures) }),
  );
});

test('the container runs the agent of the image and is cheap to probe', () => {
  expect(agent).toMatchObject({
    name: 'agent',
    image: 'ksnoop-agent',
    command: [...DESCRIPTION.entrypoint, ...DESCRIPTION.command],
    env: [
      { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
      { name: 'KSNOOP_SPOOL', value: '/var/spool/ksnoop' },
    ],
    volumeMounts: [{ name: 'spool', mountPath: '/var/spool/ksnoop' }],
    resources: {
      requests: { cpu: '10m', memory: '48Mi' },
      limits: { memory: '512Mi', 'ephemeral-storage': '9Gi' },
    },
  });
  const probe = objectAt(agent, 'readinessProbe');
  expect(Number(probe.periodSeconds)).toBeGreaterThanOrEqual(30);
  expect(objectAt(probe, 'exec').command).not.toContain('ksnoop-agent');
  const { startupProbe } = agent;
  expect(startupProbe).toMatchObject({ exec: objectAt(probe, 'exec'), periodSeconds: 1 });
});

test('the overlay cgroup adds the cgroups of the node, read-only, and nothing else', () => {
  const overlay = podOf(readKustomization(join(directory, 'overlays/cgroup')));
  const [agent, ...others] = objectsAt(overlay, 'containers');
  const [base] = objectsAt(template, 'containers');
  expect(others).toEqual([]);
  expect({ ...agent, env: [], volumeMounts: [] }).toEqual({ ...base, env: [], volumeMounts: [] });
  const without = (key: string) => objectsAt(base ?? {}, key);
  expect(objectsAt(agent ?? {}, 'env')).toEqual(
    expect.arrayContaining([...without('env'), { name: 'KSNOOP_CGROUP', value: '/var/run/node-cgroup' }]),
  );
  expect(objectsAt(agent ?? {}, 'volumeMounts')).toEqual(
    expect.arrayContaining([
      ...without('volumeMounts'),
      { name: 'cgroup', mountPath: '/var/run/node-cgroup', readOnly: true },
    ]),
  );
  expect(objectsAt(overlay, 'volumes')).toEqual(
    expect.arrayContaining([
      ...objectsAt(template, 'volumes'),
      { name: 'cgroup', hostPath: { path: '/sys/fs/cgroup', type: 'Directory' } },
    ]),
  );
});

test('the SELinux overlay changes one field', () => {
  const overlay = podOf(readKustomization(join(directory, 'overlays/selinux')));
  expect(overlay).toEqual({
    ...template,
    securityContext: { ...objectAt(template, 'securityContext'), seLinuxOptions: { type: 'spc_t' } },
  });
});
