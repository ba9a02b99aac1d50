import type {
  ClusterFacts,
  EndpointSliceFacts,
  EventFacts,
  IngressFacts,
  LabelSelectorFacts,
  NamespaceFacts,
  NetworkPolicyFacts,
  PodFacts,
  PolicyDirection,
  PolicyRuleFacts,
  ServiceFacts,
} from '../../analyze/findings/cluster-facts.ts';
import { maskText } from '../../analyze/record/secrets.ts';
import type { NamespaceKind, NamespaceObjects } from '../../capture/facts/namespace-objects.ts';
import {
  arrayAt,
  isObject,
  type JsonObject,
  objectAt,
  objectsAt,
  optionalNumber,
  optionalString,
  stringsAt,
} from '../../wire/guard.ts';

/**
 * The API server's objects as the analysis takes them. Members of another type than the API's are left out.
 * @param objects of one namespace each
 * @param at when they were read: ns since 1970
 */
export function clusterFacts(objects: readonly NamespaceObjects[], at: bigint): ClusterFacts {
  return {
    services: together(objects, 'services', serviceFacts),
    pods: together(objects, 'pods', podFacts),
    endpointSlices: together(objects, 'endpointslices', sliceFacts),
    ingresses: together(objects, 'ingresses', ingressFacts),
    networkPolicies: together(objects, 'networkpolicies', policyFacts),
    namespaces: objects.flatMap(({ namespace }) => (namespace instanceof Error ? [] : namespaceFacts(namespace))),
    absentIngressClasses: objects.flatMap(({ absentClasses }) => (absentClasses instanceof Error ? [] : absentClasses)),
    events: objects.flatMap(({ events }) => (events instanceof Error ? [] : events.map(eventFacts))),
    at,
  };
}

/** What may not be read in one namespace counts as not read at all: part of it would look like all of it. */
function together<Facts>(
  objects: readonly NamespaceObjects[],
  kind: NamespaceKind,
  factsOf: (object: JsonObject) => Facts,
): readonly Facts[] | 'unreadable' {
  const facts: Facts[] = [];
  for (const { [kind]: read } of objects) {
    if (read instanceof Error) return 'unreadable';
    for (const object of read) facts.push(factsOf(object));
  }
  return facts;
}

function namespaceFacts(object: JsonObject): NamespaceFacts[] {
  const { name, labels } = objectFacts(object);
  return name === '' ? [] : [{ name, labels }];
}

function objectFacts(object: JsonObject) {
  const metadata = objectAt(object, 'metadata');
  return {
    namespace: optionalString(metadata, 'namespace') ?? '',
    name: optionalString(metadata, 'name') ?? '',
    labels: stringsAt(metadata, 'labels'),
    created: timeAt(metadata, 'creationTimestamp'),
  };
}

function serviceFacts(object: JsonObject): ServiceFacts {
  const spec = objectAt(object, 'spec');
  return {
    ...objectFacts(object),
    type: optionalString(spec, 'type') ?? 'ClusterIP',
    selector: stringsAt(spec, 'selector'),
    clusterIPs: stringItems(spec, 'clusterIPs'),
    ports: objectsAt(spec, 'ports').flatMap((port) => {
      const number = optionalNumber(port, 'port');
      if (number === undefined) return [];
      const targetPort = numberOrText(port, 'targetPort');
      const nodePort = optionalNumber(port, 'nodePort');
      return { name: optionalString(port, 'name'), port: number, protocol: protocolOf(port), targetPort, nodePort };
    }),
    internalTrafficPolicy: optionalString(spec, 'internalTrafficPolicy'),
    externalTrafficPolicy: optionalString(spec, 'externalTrafficPolicy'),
  };
}

function podFacts(object: JsonObject): PodFacts {
  const metadata = objectAt(object, 'metadata');
  const spec = objectAt(object, 'spec');
  const status = objectAt(object, 'status');
  // A sidecar is an init container that goes on running: a targetPort may name its ports too.
  const containers = [...objectsAt(spec, 'containers'), ...objectsAt(spec, 'initContainers')];
  return {
    ...objectFacts(object),
    ips: objectsAt(status, 'podIPs').flatMap((one) => optionalString(one, 'ip') ?? []),
    node: optionalString(spec, 'nodeName'),
    phase: optionalString(status, 'phase') ?? 'Unknown',
    hostNetwork: spec.hostNetwork === true,
    deleted: timeAt(metadata, 'deletionTimestamp'),
    conditions: objectsAt(status, 'conditions').map((condition) => ({
      type: optionalString(condition, 'type') ?? '',
      status: optionalString(condition, 'status') ?? '',
      reason: optionalString(condition, 'reason'),
      changed: timeAt(condition, 'lastTransitionTime'),
    })),
    ports: containers.flatMap((container) =>
      objectsAt(container, 'ports').flatMap((port) => {
        const number = optionalNumber(port, 'containerPort');
        if (number === undefined) return [];
        return { name: optionalString(port, 'name'), port: number, protocol: protocolOf(port) };
      }),
    ),
    nodeIps: [
      ...new Set([
        ...objectsAt(status, 'hostIPs').flatMap((one) => optionalString(one, 'ip') ?? []),
        ...(optionalString(status, 'hostIP') === undefined ? [] : [optionalString(status, 'hostIP') as string]),
      ]),
    ],
    waiting: [...objectsAt(status, 'initContainerStatuses'), ...objectsAt(status, 'containerStatuses')].flatMap(
      (container) => optionalString(objectAt(objectAt(container, 'state'), 'waiting'), 'reason') ?? [],
    ),
    ended: objectsAt(status, 'containerStatuses').flatMap(
      (container) => optionalString(objectAt(objectAt(container, 'lastState'), 'terminated'), 'reason') ?? [],
    ),
  };
}

/** Characters of an event's message that are kept. */
const MESSAGE_LENGTH = 200;

function eventFacts(object: JsonObject): EventFacts {
  const about = objectAt(object, 'involvedObject');
  const series = objectAt(object, 'series');
  return {
    namespace: optionalString(about, 'namespace') ?? '',
    pod: optionalString(about, 'name') ?? '',
    reason: optionalString(object, 'reason') ?? '',
    message: maskText((optionalString(object, 'message') ?? '').split('\n', 1)[0]?.slice(0, MESSAGE_LENGTH) ?? ''),
    count: optionalNumber(series, 'count') ?? optionalNumber(object, 'count') ?? 1,
    last: timeAt(series, 'lastObservedTime') ?? timeAt(object, 'lastTimestamp') ?? timeAt(object, 'eventTime') ?? 0n,
  };
}

function policyFacts(object: JsonObject): NetworkPolicyFacts {
  const spec = objectAt(object, 'spec');
  const ingress = objectsAt(spec, 'ingress').map((rule) => policyRule(rule, 'from'));
  const egress = objectsAt(spec, 'egress').map((rule) => policyRule(rule, 'to'));
  const types = stringItems(spec, 'policyTypes');
  const directions: PolicyDirection[] =
    types.length > 0
      ? [
          ...(types.includes('Ingress') ? ['ingress' as const] : []),
          ...(types.includes('Egress') ? ['egress' as const] : []),
        ]
      : ['ingress', ...(egress.length > 0 ? ['egress' as const] : [])];
  return {
    ...objectFacts(object),
    podSelector: labelSelector(objectAt(spec, 'podSelector')),
    directions,
    ingress,
    egress,
  };
}

function policyRule(rule: JsonObject, peers: 'from' | 'to'): PolicyRuleFacts {
  return {
    peers: objectsAt(rule, peers).map((peer) => {
      const block = objectAt(peer, 'ipBlock');
      const cidr = optionalString(block, 'cidr');
      return {
        podSelector: optionalSelector(peer, 'podSelector'),
        namespaceSelector: optionalSelector(peer, 'namespaceSelector'),
        ipBlock: cidr === undefined ? undefined : { cidr, except: stringItems(block, 'except') },
      };
    }),
    ports: objectsAt(rule, 'ports').map((port) => ({
      protocol: protocolOf(port),
      port: numberOrText(port, 'port'),
      endPort: optionalNumber(port, 'endPort'),
    })),
  };
}

function optionalSelector(parent: JsonObject, key: string): LabelSelectorFacts | undefined {
  const selector = parent[key];
  return isObject(selector) ? labelSelector(selector) : undefined;
}

function labelSelector(selector: JsonObject): LabelSelectorFacts {
  return {
    labels: stringsAt(selector, 'matchLabels'),
    expressions: objectsAt(selector, 'matchExpressions').map((expression) => ({
      key: optionalString(expression, 'key') ?? '',
      operator: optionalString(expression, 'operator') ?? '',
      values: stringItems(expression, 'values'),
    })),
  };
}

function sliceFacts(object: JsonObject): EndpointSliceFacts {
  const facts = objectFacts(object);
  return {
    ...facts,
    service: facts.labels['kubernetes.io/service-name'] ?? '',
    ports: objectsAt(object, 'ports').map((port) => ({
      name: optionalString(port, 'name'),
      port: optionalNumber(port, 'port'),
    })),
    endpoints: objectsAt(object, 'endpoints').map((endpoint) => {
      const conditions = objectAt(endpoint, 'conditions');
      const target = objectAt(endpoint, 'targetRef');
      return {
        addresses: stringItems(endpoint, 'addresses'),
        // Unknown counts as ready (discovery.k8s.io/v1, EndpointConditions).
        ready: conditions.ready !== false,
        terminating: conditions.terminating === true,
        node: optionalString(endpoint, 'nodeName'),
        pod: optionalString(target, 'kind') === 'Pod' ? optionalString(target, 'name') : undefined,
      };
    }),
  };
}

function ingressFacts(object: JsonObject): IngressFacts {
  const spec = objectAt(object, 'spec');
  const backend = (parent: JsonObject, host?: string, path?: string) => {
    const service = objectAt(parent, 'service');
    const name = optionalString(service, 'name');
    if (name === undefined) return [];
    const port = objectAt(service, 'port');
    return [{ host, path, service: name, port: optionalString(port, 'name') ?? optionalNumber(port, 'number') }];
  };
  return {
    ...objectFacts(object),
    className: optionalString(spec, 'ingressClassName'),
    backends: [
      ...backend(objectAt(spec, 'defaultBackend')),
      ...objectsAt(spec, 'rules').flatMap((rule) =>
        objectsAt(objectAt(rule, 'http'), 'paths').flatMap((path) =>
          backend(objectAt(path, 'backend'), optionalString(rule, 'host'), optionalString(path, 'path')),
        ),
      ),
    ],
    tlsSecrets: objectsAt(spec, 'tls').flatMap((tls) => optionalString(tls, 'secretName') ?? []),
  };
}

function protocolOf(port: JsonObject): string {
  return optionalString(port, 'protocol') ?? 'TCP';
}

function numberOrText(parent: JsonObject, key: string): number | string | undefined {
  return optionalNumber(parent, key) ?? optionalString(parent, key);
}

function stringItems(parent: JsonObject, key: string): string[] {
  return arrayAt(parent, key).filter((item) => typeof item === 'string');
}

/** ns since 1970 */
function timeAt(parent: JsonObject, key: string): bigint | undefined {
  const time = Date.parse(optionalString(parent, key) ?? '');
  return Number.isNaN(time) ? undefined : BigInt(time) * 1_000_000n;
}
