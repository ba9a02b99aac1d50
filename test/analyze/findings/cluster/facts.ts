import type {
  ClusterFacts,
  EndpointSliceFacts,
  NetworkPolicyFacts,
  PodFacts,
  ServiceFacts,
} from '../../../../src/analyze/findings/cluster-facts.ts';

/** Two nodes, a client on the first, a Service with one pod on the second. */
export const CLIENT = '10.244.1.5';
export const SERVER = '10.244.2.5';
export const SERVICE = '10.96.0.5';

export function podFacts(name: string, ip: string, node: string, more: Partial<PodFacts> = {}): PodFacts {
  return {
    namespace: 'shop',
    name,
    labels: { app: name.split('-')[0] ?? '' },
    ips: [ip],
    node,
    phase: 'Running',
    hostNetwork: false,
    created: undefined,
    deleted: undefined,
    conditions: [],
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    nodeIps: [node === 'node1' ? '192.168.0.1' : '192.168.0.2'],
    waiting: [],
    ...more,
  };
}

export function serviceFacts(more: Partial<ServiceFacts> = {}): ServiceFacts {
  return {
    namespace: 'shop',
    name: 'web',
    type: 'ClusterIP',
    selector: { app: 'web' },
    clusterIPs: [SERVICE],
    ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'http', nodePort: undefined }],
    internalTrafficPolicy: 'Cluster',
    externalTrafficPolicy: undefined,
    ...more,
  };
}

export function sliceFacts(pod = 'web-1', node = 'node2', address = SERVER): EndpointSliceFacts {
  return {
    namespace: 'shop',
    name: 'web-x',
    service: 'web',
    ports: [{ name: 'http', port: 8080 }],
    endpoints: [{ addresses: [address], ready: true, terminating: false, node, pod }],
  };
}

/** Isolates the pods of web and lets nothing in. */
export const DENY: NetworkPolicyFacts = {
  namespace: 'shop',
  name: 'deny',
  podSelector: { labels: { app: 'web' }, expressions: [] },
  directions: ['ingress'],
  ingress: [],
  egress: [],
};

export function facts(more: Partial<ClusterFacts> = {}): ClusterFacts {
  return {
    services: [serviceFacts()],
    endpointSlices: [sliceFacts()],
    pods: [podFacts('client-1', CLIENT, 'node1'), podFacts('web-1', SERVER, 'node2')],
    ingresses: [],
    networkPolicies: [],
    absentIngressClasses: [],
    namespaces: [{ name: 'shop', labels: {} }],
    at: 1_000_000_000_000n,
    ...more,
  };
}
