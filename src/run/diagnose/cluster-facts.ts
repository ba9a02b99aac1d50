import type {
  ClusterFacts,
  EndpointSliceFacts,
  IngressFacts,
  PodFacts,
  ServiceFacts,
} from '../../analyze/findings/cluster-facts.ts';
import type { NamespaceObjects } from '../../capture/facts/namespace-objects.ts';
import {
  arrayAt,
  type JsonObject,
  objectAt,
  objectsAt,
  optionalNumber,
  optionalString,
  stringsAt,
} from '../../wire/guard.ts';

/** The API server's objects as the analysis takes them. Members of another type than the API's are left out. */
export function serviceSurroundings(objects: NamespaceObjects): ClusterFacts {
  const { services, pods, endpointslices, ingresses } = objects;
  return {
    services: services instanceof Error ? 'unreadable' : services.map(serviceFacts),
    pods: pods instanceof Error ? 'unreadable' : pods.map(podFacts),
    endpointSlices: endpointslices instanceof Error ? 'unreadable' : endpointslices.map(sliceFacts),
    ingresses: ingresses instanceof Error ? 'unreadable' : ingresses.map(ingressFacts),
  };
}

function objectFacts(object: JsonObject) {
  const metadata = objectAt(object, 'metadata');
  return {
    namespace: optionalString(metadata, 'namespace') ?? '',
    name: optionalString(metadata, 'name') ?? '',
    labels: stringsAt(metadata, 'labels'),
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
      return { name: optionalString(port, 'name'), port: number, protocol: protocolOf(port), targetPort };
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
    created: timeAt(metadata, 'creationTimestamp'),
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
