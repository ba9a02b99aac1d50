import { createHash } from 'node:crypto';
import { AGENT_LABEL, AGENT_NAMESPACE, OBSERVE_CONTAINER, OBSERVE_NAME } from '../../agent-objects.ts';
import type { Manifest } from '../manifests.ts';
import { CA_KEY, OBSERVATION_ANNOTATION, type Observation, observationText, observeWords } from './observation.ts';
import { type ObserverRules, observerRules, type PolicyRule } from './rules.ts';

const RBAC = 'rbac.authorization.k8s.io/v1';
const LABELS = { [AGENT_LABEL]: OBSERVE_NAME };
const CA_DIRECTORY = '/etc/ksnoop/otlp';
/** The user `nobody`, as in the controller's pod. */
const USER = 65_534;

/**
 * The objects of an installed observation: a Deployment of one pod with the agents' image, its account, and the permissions that its targets take.
 * @param tickets as `observerRules`
 * @throws KsnoopError as observerRules
 */
export function observeObjects(observation: Observation, tickets: boolean): Manifest[] {
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: named(AGENT_NAMESPACE), automountServiceAccountToken: false },
    ...(observation.ca === undefined
      ? []
      : [
          { apiVersion: 'v1', kind: 'ConfigMap', metadata: named(AGENT_NAMESPACE), data: { [CA_KEY]: observation.ca } },
        ]),
    ...roles(observerRules(observation, tickets)),
    networkPolicy(observation),
    deployment(observation),
  ];
}

function named(namespace?: string) {
  return { name: OBSERVE_NAME, ...(namespace !== undefined && { namespace }), labels: LABELS };
}

function roles({ namespaces, cluster }: ObserverRules): Manifest[] {
  const subjects = [{ kind: 'ServiceAccount', name: OBSERVE_NAME, namespace: AGENT_NAMESPACE }];
  const pair = (prefix: '' | 'Cluster', rules: readonly PolicyRule[], namespace?: string) => {
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: `${prefix}Role`, name: OBSERVE_NAME };
    return [
      { apiVersion: RBAC, kind: `${prefix}Role`, metadata: named(namespace), rules },
      { apiVersion: RBAC, kind: `${prefix}RoleBinding`, metadata: named(namespace), roleRef, subjects },
    ];
  };
  return [
    ...[...namespaces].flatMap(([namespace, rules]) => pair('', rules, namespace)),
    ...(cluster.length === 0 ? [] : pair('Cluster', cluster)),
  ];
}

/** No connections to its pod are allowed, except Prometheus' to the port that it scrapes. */
function networkPolicy({ port }: Observation): Manifest {
  const ingress = port === undefined ? [] : [{ ports: [{ protocol: 'TCP', port }] }];
  const spec = { podSelector: { matchLabels: LABELS }, policyTypes: ['Ingress'], ingress };
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: named(AGENT_NAMESPACE), spec };
}

/** Other certificates are read by another pod. */
function caAnnotation(ca: string) {
  return { 'ksnoop.io/ca': createHash('sha256').update(ca).digest('hex') };
}

function deployment(observation: Observation): Manifest {
  const { headersSecret, port, ca } = observation;
  const headers = headersSecret === undefined ? [] : [{ name: headersSecret, key: 'headers' }];
  const container = {
    name: OBSERVE_CONTAINER,
    // Set by `ksnoop install --image`, as the agents'.
    image: 'ksnoop-agent',
    command: ['/usr/bin/ksnoop-observe', ...observeWords(observation, `${CA_DIRECTORY}/${CA_KEY}`)],
    env: [
      // There is no home directory to look for a kubeconfig in.
      { name: 'HOME', value: '/nonexistent' },
      ...headers.map((secretKeyRef) => ({ name: 'OTEL_EXPORTER_OTLP_HEADERS', valueFrom: { secretKeyRef } })),
    ],
    ...(port !== undefined && { ports: [{ name: 'metrics', containerPort: port, protocol: 'TCP' }] }),
    ...(ca !== undefined && { volumeMounts: [{ name: 'ca', mountPath: CA_DIRECTORY, readOnly: true }] }),
    resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '512Mi' } },
    securityContext: {
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
  };
  const pod = {
    serviceAccountName: OBSERVE_NAME,
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    // What is left is sent when the pod ends.
    terminationGracePeriodSeconds: 30,
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    // The level `restricted` of Pod Security.
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [container],
    ...(ca !== undefined && { volumes: [{ name: 'ca', configMap: { name: OBSERVE_NAME } }] }),
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...named(AGENT_NAMESPACE), annotations: { [OBSERVATION_ANNOTATION]: observationText(observation) } },
    spec: {
      // Two would count everything twice: the old pod ends before the new one begins.
      replicas: 1,
      strategy: { type: 'Recreate' },
      // A command that fails at once is never available.
      minReadySeconds: 5,
      selector: { matchLabels: LABELS },
      template: { metadata: { labels: LABELS, ...(ca !== undefined && { annotations: caAnnotation(ca) }) }, spec: pod },
    },
  };
}
