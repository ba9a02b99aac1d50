import { expect, test } from 'vitest';
import { DESCRIPTION } from '../../../../daemonset/image/description.ts';
import { observeObjects } from '../../../../src/capture/install/observe/objects.ts';
import { installedObservation, type Observation } from '../../../../src/capture/install/observe/observation.ts';
import { observerRules } from '../../../../src/capture/install/observe/rules.ts';
import { type JsonObject, objectAt, objectsAt } from '../../../../src/wire/guard.ts';

const observation: Observation = {
  targets: ['svc/web', 'deploy/api'],
  namespaces: ['shop'],
  selector: 'tier=front',
  flags: ['--otlp', 'https://collector:4318', '--spans', 'failed'],
  headersSecret: 'otlp',
  port: 9464,
  ca: '-----BEGIN CERTIFICATE-----\n',
};

function named(objects: readonly JsonObject[], kind: string): JsonObject {
  return objects.find((object) => object.kind === kind) ?? {};
}

function podOf(objects: readonly JsonObject[]): JsonObject {
  return objectAt(objectAt(objectAt(named(objects, 'Deployment'), 'spec'), 'template'), 'spec');
}

test('one pod of the level restricted, with the words of ksnoop observe, headers from a Secret and certificates from a ConfigMap', () => {
  const objects = observeObjects(observation, false);
  const pod = podOf(objects);
  expect(pod).toMatchObject({
    serviceAccountName: 'ksnoop-observe',
    securityContext: { runAsNonRoot: true, runAsUser: 65_534, seccompProfile: { type: 'RuntimeDefault' } },
  });
  expect(objectAt(named(objects, 'Deployment'), 'spec')).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
  expect(objectsAt(pod, 'containers')).toMatchObject([
    {
      command: [
        ...[DESCRIPTION.observePath, 'svc/web', 'deploy/api', '-n', 'shop', '-l', 'tier=front'],
        ...['--otlp', 'https://collector:4318', '--spans', 'failed', '--otlp-ca', '/etc/ksnoop/otlp/ca.pem'],
      ],
      env: [
        { name: 'HOME' },
        { name: 'OTEL_EXPORTER_OTLP_HEADERS', valueFrom: { secretKeyRef: { name: 'otlp', key: 'headers' } } },
      ],
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
    },
  ]);
  expect(objectAt(named(objects, 'NetworkPolicy'), 'spec')).toMatchObject({
    ingress: [{ ports: [{ protocol: 'TCP', port: 9464 }] }],
  });
  expect(installedObservation(named(objects, 'Deployment'), named(objects, 'ConfigMap'))).toEqual(observation);
});

test('nobody connects to it where Prometheus does not scrape', () => {
  const objects = observeObjects({ ...observation, port: undefined, ca: undefined }, false);
  expect(objectAt(named(objects, 'NetworkPolicy'), 'spec')).toMatchObject({ policyTypes: ['Ingress'], ingress: [] });
  expect(named(objects, 'ConfigMap')).toEqual({});
});

test('it may read its targets and their pods, reach the agents, and list names; nothing else', () => {
  const rules = observerRules({ targets: ['svc/web'], namespaces: ['shop'], flags: [] }, false);
  expect([...rules.namespaces.keys()].sort()).toEqual(['ksnoop', 'shop']);
  const verbs = [...rules.namespaces.values(), rules.cluster].flat().flatMap(({ verbs }) => verbs);
  expect(new Set(verbs)).toEqual(new Set(['get', 'list', 'watch', 'create']));
  const creating = [...rules.namespaces].flatMap(([namespace, list]) =>
    list.filter(({ verbs }) => verbs.includes('create')).map(({ resources }) => `${namespace} ${resources}`),
  );
  expect(creating).toEqual(['ksnoop pods/portforward']);
});

test('targets of all namespaces are read by a ClusterRole', () => {
  const rules = observerRules({ targets: ['svc/*'], namespaces: undefined, flags: [] }, false);
  expect([...rules.namespaces.keys()]).toEqual(['ksnoop']);
  expect(rules.cluster).toContainEqual({ apiGroups: [''], resources: ['services'], verbs: ['list', 'watch'] });
});

test('many namespaces have all their permissions', () => {
  const namespaces = Array.from({ length: 60 }, (_, index) => `team-${index}`);
  const rules = observerRules({ targets: ['svc/web', 'deploy/web'], namespaces, flags: [] }, false);
  const of = (namespace: string) => JSON.stringify(rules.namespaces.get(namespace));
  for (const namespace of namespaces) expect(of(namespace)).toBe(of('team-0'));
});

test.each([
  ['widget/a', /no permissions for targets of kind "widget"/],
  ['web', /Unknown command or target "web"/],
])('%s is refused', (target, message) => {
  expect(() => observerRules({ targets: [target], namespaces: ['shop'], flags: [] }, false)).toThrow(message);
});
