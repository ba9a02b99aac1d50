// The policy recipes that people use (networking.k8s.io examples and the well-known collection of recipes), as YAML would have them.
import { expect, test } from 'vitest';
import type { NamespaceFacts, PodFacts } from '../../../../src/analyze/findings/cluster-facts.ts';
import { evaluatePolicies, type PolicyEnd } from '../../../../src/analyze/findings/policy/evaluate.ts';
import { clusterFacts } from '../../../../src/run/diagnose/cluster-facts.ts';
import { KsnoopError } from '../../../../src/wire/errors.ts';
import type { JsonObject } from '../../../../src/wire/guard.ts';

let addresses = 0;
function pod(namespace: string, labels: Record<string, string>, more: Partial<PodFacts> = {}): PolicyEnd {
  addresses += 1;
  const address = `10.244.0.${addresses}`;
  const facts: PodFacts = {
    namespace,
    name: `pod-${addresses}`,
    labels,
    ips: [address],
    node: 'node1',
    phase: 'Running',
    hostNetwork: false,
    created: undefined,
    deleted: undefined,
    conditions: [],
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    nodeIps: ['192.168.0.1'],
    waiting: [],
    ...more,
  };
  return { address, pod: facts };
}

const web = pod('default', { app: 'web' });
const front = pod('default', { app: 'front', role: 'monitoring' });
const other = pod('default', { app: 'other' });
const prod = pod('prod', { type: 'monitoring' });
const dev = pod('dev', { type: 'monitoring' });
const devPlain = pod('dev', { app: 'plain' });
const dns = pod('kube-system', { 'k8s-app': 'kube-dns' });
const hostPod = pod('default', { app: 'agent' }, { hostNetwork: true });
const internet: PolicyEnd = { address: '203.0.113.7', pod: undefined, outside: true };
const excepted: PolicyEnd = { address: '172.17.1.7', pod: undefined, outside: true };
const inBlock: PolicyEnd = { address: '172.17.9.7', pod: undefined, outside: true };
const somebody: PolicyEnd = { address: '10.9.9.9', pod: undefined };
const nodeOfWeb: PolicyEnd = { address: '192.168.0.1', pod: undefined, outside: true };
const v6: PolicyEnd = { address: '2001:db8::7', pod: undefined, outside: true };

const NAMESPACES: readonly NamespaceFacts[] = [
  { name: 'default', labels: {} },
  { name: 'prod', labels: { purpose: 'production' } },
  { name: 'dev', labels: { purpose: 'testing' } },
  { name: 'kube-system', labels: {} },
];

const policy = (spec: object, namespace = 'default', name = 'it'): JsonObject => ({
  metadata: { namespace, name },
  spec,
});
const toWeb = { matchLabels: { app: 'web' } };

interface Case {
  readonly recipe: string;
  readonly policies: readonly JsonObject[];
  readonly from?: PolicyEnd;
  readonly to?: PolicyEnd;
  readonly port?: number;
  readonly protocol?: string;
  readonly namespaces?: readonly NamespaceFacts[];
  readonly is: 'allowed' | 'denied' | 'unknown';
}

const denyAll = [policy({ podSelector: toWeb, ingress: [] })];
const limit = [
  policy({ podSelector: toWeb, ingress: [{ from: [{ podSelector: { matchLabels: { app: 'front' } } }] }] }),
];
const allowAll = [policy({ podSelector: toWeb, ingress: [{}] })];
const sameNamespace = [policy({ podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] })];
const allNamespaces = [policy({ podSelector: toWeb, ingress: [{ from: [{ namespaceSelector: {} }] }] })];
const production = { namespaceSelector: { matchLabels: { purpose: 'production' } } };
const fromProduction = [policy({ podSelector: toWeb, ingress: [{ from: [production] }] })];
const monitoring = { podSelector: { matchLabels: { type: 'monitoring' } } };
const both = [policy({ podSelector: toWeb, ingress: [{ from: [{ ...production, ...monitoring }] }] })];
const either = [policy({ podSelector: toWeb, ingress: [{ from: [production, monitoring] }] })];
const external = [policy({ podSelector: toWeb, ingress: [{ from: [] }] })];
const metrics = [policy({ podSelector: toWeb, ingress: [{ ports: [{ protocol: 'TCP', port: 5000 }] }] })];
const named = [policy({ podSelector: toWeb, ingress: [{ ports: [{ port: 'http' }] }] })];
const range = [policy({ podSelector: toWeb, ingress: [{ ports: [{ port: 8000, endPort: 8999 }] }] })];
const udp = [policy({ podSelector: toWeb, ingress: [{ ports: [{ protocol: 'UDP' }] }] })];
const noEgress = [policy({ podSelector: toWeb, policyTypes: ['Egress'], egress: [] })];
const noEgressByDefault = [policy({ podSelector: toWeb, egress: [] })];
const dnsAlone = [
  policy({
    podSelector: toWeb,
    policyTypes: ['Egress'],
    egress: [
      {
        ports: [
          { port: 53, protocol: 'UDP' },
          { port: 53, protocol: 'TCP' },
        ],
      },
    ],
  }),
];
const clusterAlone = [
  policy({ podSelector: toWeb, policyTypes: ['Egress'], egress: [{ to: [{ namespaceSelector: {} }] }] }),
];
const block = (cidr: string, except: string[] = []) => [
  policy({ podSelector: toWeb, ingress: [{ from: [{ ipBlock: { cidr, except } }] }] }),
];
const expressions = (operator: string, values?: string[]) => [
  policy({
    podSelector: toWeb,
    ingress: [{ from: [{ podSelector: { matchExpressions: [{ key: 'app', operator, values }] } }] }],
  }),
];
const byName = [
  policy({
    podSelector: toWeb,
    ingress: [{ from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'prod' } } }] }],
  }),
];

const CASES: readonly Case[] = [
  { recipe: 'no policy', policies: [], from: internet, is: 'allowed' },
  { recipe: 'a policy of another namespace', policies: [policy({ podSelector: {} }, 'prod')], is: 'allowed' },
  { recipe: 'a policy for other pods', policies: denyAll, to: other, is: 'allowed' },
  { recipe: 'deny all traffic to an application', policies: denyAll, is: 'denied' },
  { recipe: 'deny all traffic to an application', policies: denyAll, from: internet, is: 'denied' },
  { recipe: 'deny all: its node is let in', policies: denyAll, from: nodeOfWeb, is: 'allowed' },
  { recipe: 'deny all: a pod reaches itself', policies: denyAll, from: web, is: 'allowed' },
  { recipe: 'deny all: what it opens itself', policies: denyAll, from: web, to: other, is: 'allowed' },
  { recipe: 'limit traffic to an application', policies: limit, is: 'allowed' },
  { recipe: 'limit traffic to an application', policies: limit, from: other, is: 'denied' },
  { recipe: 'limit: a pod of that label elsewhere', policies: limit, from: pod('dev', { app: 'front' }), is: 'denied' },
  { recipe: 'limit: an address that may be a pod', policies: limit, from: somebody, is: 'unknown' },
  { recipe: 'limit: an address outside', policies: limit, from: internet, is: 'denied' },
  { recipe: 'limit: host network', policies: limit, from: hostPod, is: 'unknown' },
  { recipe: 'allow all traffic to an application', policies: [...denyAll, ...allowAll], from: dev, is: 'allowed' },
  { recipe: 'deny all of a namespace', policies: [policy({ podSelector: {} })], from: other, is: 'denied' },
  { recipe: 'deny from other namespaces', policies: sameNamespace, from: other, is: 'allowed' },
  { recipe: 'deny from other namespaces', policies: sameNamespace, from: prod, is: 'denied' },
  { recipe: 'allow from all namespaces', policies: allNamespaces, from: dev, is: 'allowed' },
  { recipe: 'allow from all namespaces', policies: allNamespaces, from: internet, is: 'denied' },
  { recipe: 'allow from a namespace', policies: fromProduction, from: prod, is: 'allowed' },
  { recipe: 'allow from a namespace', policies: fromProduction, from: dev, is: 'denied' },
  {
    recipe: 'allow from a namespace: labels not read',
    policies: fromProduction,
    from: dev,
    namespaces: [],
    is: 'unknown',
  },
  { recipe: 'allow from a namespace by name', policies: byName, from: prod, namespaces: [], is: 'allowed' },
  { recipe: 'allow from a namespace by name', policies: byName, from: dev, namespaces: [], is: 'denied' },
  { recipe: 'pods of a namespace: both', policies: both, from: prod, is: 'allowed' },
  { recipe: 'pods of a namespace: both', policies: both, from: dev, is: 'denied' },
  { recipe: 'pods of a namespace: neither', policies: both, from: devPlain, namespaces: [], is: 'denied' },
  { recipe: 'two peers: either', policies: either, from: prod, is: 'allowed' },
  {
    recipe: 'two peers: pods of its own namespace',
    policies: either,
    from: pod('default', { type: 'monitoring' }),
    is: 'allowed',
  },
  { recipe: 'two peers: neither', policies: either, from: dev, is: 'denied' },
  { recipe: 'allow external', policies: external, from: internet, is: 'allowed' },
  { recipe: 'one port', policies: metrics, port: 5000, is: 'allowed' },
  { recipe: 'one port', policies: metrics, is: 'denied' },
  { recipe: 'a named port', policies: named, is: 'allowed' },
  { recipe: 'a named port', policies: named, port: 9090, is: 'denied' },
  { recipe: 'a range of ports', policies: range, is: 'allowed' },
  { recipe: 'a range of ports: first', policies: range, port: 8000, is: 'allowed' },
  { recipe: 'a range of ports: last', policies: range, port: 8999, is: 'allowed' },
  { recipe: 'a range of ports: past it', policies: range, port: 9000, is: 'denied' },
  { recipe: 'another protocol', policies: udp, is: 'denied' },
  { recipe: 'every port of a protocol', policies: udp, protocol: 'UDP', is: 'allowed' },
  { recipe: 'deny egress', policies: noEgress, from: web, to: other, is: 'denied' },
  { recipe: 'deny egress: ingress stays', policies: noEgress, is: 'allowed' },
  {
    recipe: 'an empty egress without policyTypes isolates ingress alone',
    policies: noEgressByDefault,
    from: web,
    to: other,
    is: 'allowed',
  },
  { recipe: 'an empty egress without policyTypes isolates ingress alone', policies: noEgressByDefault, is: 'denied' },
  {
    recipe: 'egress without policyTypes',
    policies: [policy({ podSelector: toWeb, egress: [{ to: [monitoring] }] })],
    from: web,
    to: other,
    is: 'denied',
  },
  {
    recipe: 'deny egress except DNS',
    policies: dnsAlone,
    from: web,
    to: dns,
    port: 53,
    protocol: 'UDP',
    is: 'allowed',
  },
  { recipe: 'deny egress except DNS', policies: dnsAlone, from: web, to: other, is: 'denied' },
  { recipe: 'deny external egress', policies: clusterAlone, from: web, to: dev, is: 'allowed' },
  { recipe: 'deny external egress', policies: clusterAlone, from: web, to: internet, is: 'denied' },
  {
    recipe: 'deny external egress: an address that may be a pod',
    policies: clusterAlone,
    from: web,
    to: somebody,
    is: 'unknown',
  },
  {
    recipe: 'let out, and let in by another',
    policies: [...clusterAlone, policy({ podSelector: {} }, 'dev')],
    from: web,
    to: dev,
    is: 'denied',
  },
  { recipe: 'ipBlock', policies: block('172.17.0.0/16', ['172.17.1.0/24']), from: inBlock, is: 'allowed' },
  {
    recipe: 'ipBlock with an exception',
    policies: block('172.17.0.0/16', ['172.17.1.0/24']),
    from: excepted,
    is: 'denied',
  },
  { recipe: 'ipBlock of others', policies: block('172.17.0.0/16'), from: internet, is: 'denied' },
  { recipe: 'ipBlock of IPv6', policies: block('2001:db8::/32'), from: v6, is: 'allowed' },
  { recipe: 'ipBlock of the other family', policies: block('0.0.0.0/0'), from: v6, is: 'denied' },
  { recipe: 'ipBlock that has pods in it', policies: block('10.0.0.0/8'), from: other, is: 'unknown' },
  { recipe: 'ipBlock without pods', policies: block('172.17.0.0/16'), from: other, is: 'denied' },
  { recipe: 'an ipBlock that is none', policies: block('172.17.0.0/99'), from: internet, is: 'unknown' },
  { recipe: 'In', policies: expressions('In', ['front', 'back']), is: 'allowed' },
  { recipe: 'In', policies: expressions('In', ['back']), is: 'denied' },
  { recipe: 'NotIn', policies: expressions('NotIn', ['front']), is: 'denied' },
  { recipe: 'NotIn', policies: expressions('NotIn', ['front']), from: pod('default', {}), is: 'allowed' },
  { recipe: 'Exists', policies: expressions('Exists'), is: 'allowed' },
  { recipe: 'Exists', policies: expressions('Exists'), from: pod('default', {}), is: 'denied' },
  { recipe: 'DoesNotExist', policies: expressions('DoesNotExist'), is: 'denied' },
  { recipe: 'an operator of the future', policies: expressions('Gt', ['1']), is: 'unknown' },
  {
    recipe: 'a peer of the future',
    policies: [policy({ podSelector: toWeb, ingress: [{ from: [{ sky: {} }] }] })],
    is: 'unknown',
  },
  { recipe: 'a server that is not known', policies: denyAll, from: front, to: somebody, is: 'unknown' },
];

test.each(CASES.map((one, index) => ({ ...one, title: `${index} ${one.recipe}: ${one.is}` })))('$title', (one) => {
  const { policies, from = front, to = web, port = 8080, protocol = 'TCP', namespaces = NAMESPACES, is } = one;
  const unread = new KsnoopError('FORBIDDEN', 'not read');
  const empty = {
    services: [],
    pods: [],
    endpointslices: [],
    ingresses: [],
    absentClasses: [],
    events: [],
    namespace: unread,
  };
  const facts = clusterFacts([{ ...empty, networkpolicies: policies }], 0n).networkPolicies;
  if (facts === 'unreadable') throw new Error('the policies were read');
  const verdict = evaluatePolicies({ from, to, port, protocol }, { policies: facts, namespaces });
  expect(verdict.verdict).toBe(is);
  if (verdict.verdict === 'denied') expect(verdict.by.map(({ name }) => name)).toContain('it');
});
