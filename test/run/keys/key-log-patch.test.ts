import { expect, test } from 'vitest';
import { keyLogPatch } from '../../../src/run/keys/key-log-patch.ts';

const POD = {
  containers: [
    { name: 'app', env: [{ name: 'SSLKEYLOGFILE', value: '/tmp/keys' }] },
    { name: 'proxy', env: [{ name: 'SSLKEYLOGFILE', value: '/ksnoop-keys/proxy.log' }] },
  ],
  initContainers: [{ name: 'setup' }, { name: 'mesh', restartPolicy: 'Always' }],
};
const DEPLOYMENT = { spec: { template: { spec: POD } } };
const CRONJOB = { spec: { jobTemplate: { spec: { template: { spec: POD } } } } };

const added = (name: string) => ({
  name,
  env: [{ name: 'SSLKEYLOGFILE', value: `/ksnoop-keys/${name}.log` }],
  volumeMounts: [{ name: 'ksnoop-keys', mountPath: '/ksnoop-keys' }],
});
const VOLUMES = [{ name: 'ksnoop-keys', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } }];

test('every container that runs during a capture writes a file of its own, in memory', () => {
  const { patch, files } = keyLogPatch('deployment', DEPLOYMENT, {});
  expect(patch).toEqual({
    spec: {
      template: {
        spec: { containers: [added('app'), added('proxy')], initContainers: [added('mesh')], volumes: VOLUMES },
      },
    },
  });
  expect(files).toEqual([
    { container: 'app', path: '/ksnoop-keys/app.log', before: '/tmp/keys' },
    { container: 'proxy', path: '/ksnoop-keys/proxy.log', before: undefined },
    { container: 'mesh', path: '/ksnoop-keys/mesh.log', before: undefined },
  ]);
});

test('one container alone; of a CronJob in the template of its Jobs', () => {
  const { patch } = keyLogPatch('cronjob', CRONJOB, { container: 'app' });
  const spec = { containers: [added('app')], volumes: VOLUMES };
  expect(patch).toEqual({ spec: { jobTemplate: { spec: { template: { spec } } } } });
});

test('taken back, nothing is left; the volume stays while another container may use it', () => {
  const removed = (name: string) => ({
    name,
    env: [{ $patch: 'delete', name: 'SSLKEYLOGFILE' }],
    volumeMounts: [{ $patch: 'delete', mountPath: '/ksnoop-keys' }],
  });
  expect(keyLogPatch('deployment', DEPLOYMENT, { remove: true }).patch).toMatchObject({
    spec: { template: { spec: { volumes: [{ $patch: 'delete', name: 'ksnoop-keys' }] } } },
  });
  expect(keyLogPatch('deployment', DEPLOYMENT, { remove: true, container: 'mesh' }).patch).toEqual({
    spec: { template: { spec: { initContainers: [removed('mesh')] } } },
  });
});

test('an unknown container, and an object without a template, give an error with the names that there are', () => {
  expect(() => keyLogPatch('deployment', DEPLOYMENT, { container: 'setup' })).toThrow(
    expect.objectContaining({ code: 'NO_SUCH_CONTAINER', hint: 'Its containers: app, proxy, mesh.' }),
  );
  expect(() => keyLogPatch('deployment', { spec: 'text' }, { container: 'a' })).toThrow(
    expect.objectContaining({ code: 'NO_SUCH_CONTAINER' }),
  );
});

test('a variable from a ConfigMap is replaced, not merged with', () => {
  const env = [{ name: 'SSLKEYLOGFILE', valueFrom: { configMapKeyRef: { name: 'tls', key: 'file' } } }];
  const object = { spec: { template: { spec: { containers: [{ name: 'app', env }] } } } };
  const { patch, files } = keyLogPatch('deployment', object, {});
  const replaced = { name: 'SSLKEYLOGFILE', value: '/ksnoop-keys/app.log', valueFrom: null };
  expect(patch).toMatchObject({ spec: { template: { spec: { containers: [{ env: [replaced] }] } } } });
  expect(files).toMatchObject([{ before: 'a value from elsewhere' }]);
});
