import { expect, test } from 'vitest';
import { BlockedConnections } from '../../../../src/analyze/findings/cluster/blocked.ts';
import type { ClusterFacts } from '../../../../src/analyze/findings/cluster-facts.ts';
import type { FlowFacts, TcpFacts } from '../../../../src/analyze/flow/flow-facts.ts';
import { Hosts } from '../../../../src/analyze/identity/hosts.ts';
import { Names } from '../../../../src/analyze/identity/names.ts';
import { NetworkStates } from '../../../../src/analyze/state/network-states.ts';
import { tcpDirection } from '../../made-events.ts';
import { CLIENT, DENY, facts, SERVER, SERVICE, serviceFacts, sliceFacts } from './facts.ts';

const INTERFACES = ['shop/client-1/any', 'shop/web-1/any'];
const NODE2 = '192.168.0.2';

interface Connection {
  readonly to: string;
  readonly port?: number;
  readonly at?: number;
  readonly from?: string;
  readonly isAnswered?: boolean;
  readonly isRejected?: boolean;
  readonly syns?: number;
}

function found(connections: readonly Connection[], cluster: ClusterFacts, captured = INTERFACES) {
  const hosts = new Hosts();
  const names = new Names(hosts);
  const number = (address: string) => hosts.number(Uint8Array.from(address.split('.').map(Number)), 0, 4);
  const blocked = new BlockedConnections({
    hosts,
    names,
    states: new NetworkStates(),
    interfaceName: (id) => INTERFACES[id],
    epoch: () => 0n,
  });
  for (const [id, connection] of connections.entries()) {
    const { to, port = 80, at = 0, from = CLIENT, isAnswered = false, isRejected = false, syns = 3 } = connection;
    const tcp = {
      state: isAnswered ? 'closed' : isRejected ? 'refused' : 'unanswered',
      midstream: false,
      syns,
      synSpan: 3e9,
      client: tcpDirection,
      server: tcpDirection,
    } as TcpFacts;
    const flow: FlowFacts = {
      id,
      transport: 'tcp',
      clientHost: number(from),
      serverHost: number(to),
      clientPort: 40_000 + id,
      serverPort: port,
      interfaceId: at,
      first: id * 1e9,
      last: id * 1e9,
      client: { packets: syns, bytes: 0, payload: 0 },
      server: { packets: isAnswered ? 3 : 0, bytes: 0, payload: 0 },
      protocol: undefined,
      tcp,
    };
    blocked.flowEnded(flow);
  }
  const findings = blocked.findings(cluster, captured);
  return {
    findings: findings.map(({ code, confidence }) => `${code} ${confidence}`),
    flows: findings.map(({ evidence }) => evidence.flatMap(({ flows }) => flows)),
    answered: [...blocked.answered(cluster)],
  };
}

const denied = facts({ networkPolicies: [DENY] });

test('connections that a policy denies and that never arrive at the pods', () => {
  expect(found([{ to: SERVICE }], denied).findings).toEqual(['NETWORK_POLICY_DROPS proven']);
  expect(found([{ to: SERVER, port: 8080 }], denied).findings).toEqual(['NETWORK_POLICY_DROPS proven']);
});

test('connections of several clients to one Service that the same policy denies are one finding', () => {
  const { findings, flows } = found([{ to: SERVICE }, { to: SERVICE, from: '10.0.0.77' }], denied);
  expect(findings).toEqual(['NETWORK_POLICY_DROPS proven']);
  expect(flows).toEqual([[0, 1]]);
});

test('likely where the server was not captured', () => {
  expect(found([{ to: SERVICE }], denied, ['shop/client-1/any']).findings).toEqual(['NETWORK_POLICY_DROPS likely']);
});

test('what arrived at the pod was not dropped by a policy', () => {
  const arrived = { to: SERVER, port: 8080, at: 1 };
  expect(found([{ to: SERVICE }, arrived], denied).findings).toEqual([]);
});

test('nothing follows without a policy that denies, or from a single SYN', () => {
  expect(found([{ to: SERVICE }], facts()).findings).toEqual([]);
  expect(found([{ to: SERVICE }], facts({ networkPolicies: 'unreadable' })).findings).toEqual([]);
  expect(found([{ to: SERVICE, syns: 1 }], denied).findings).toEqual([]);
  expect(found([{ to: SERVICE, syns: 2 }], denied).findings).toEqual([]);
  expect(
    found(
      [
        { to: SERVICE, syns: 2 },
        { to: SERVICE, syns: 2 },
      ],
      denied,
    ).findings,
  ).toHaveLength(1);
});

test('a policy that lets others through is not enforced', () => {
  expect(found([{ to: SERVICE }, { to: SERVICE, isAnswered: true }], denied).findings).toEqual([]);
  expect(found([{ to: SERVER, port: 8080, isAnswered: true }], denied).answered).toHaveLength(1);
  expect(found([{ to: SERVER, port: 8080, isAnswered: true, from: NODE2 }], denied).answered).toEqual([]);
});

test('a Service that is Local, and no endpoint on the node of its client', () => {
  const local = facts({ services: [serviceFacts({ internalTrafficPolicy: 'Local' })] });
  expect(found([{ to: SERVICE }], local).findings).toEqual(['TRAFFIC_POLICY_NO_LOCAL_ENDPOINT proven']);
  expect(found([{ to: SERVICE }], { ...local, endpointSlices: [sliceFacts('web-2', 'node1')] }).findings).toEqual([]);
  expect(found([{ to: SERVICE }], { ...local, endpointSlices: [] }).findings).toEqual([]);
  expect(found([{ to: SERVICE }], facts()).findings).toEqual([]);
});

test('a NodePort whose policy is Local, at a node without endpoint', () => {
  const ports = [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'http', nodePort: 30_080 }];
  const local = facts({ services: [serviceFacts({ externalTrafficPolicy: 'Local', ports })] });
  const to = { to: '192.168.0.1', port: 30_080, from: '203.0.113.9' };
  expect(found([to], local).findings).toEqual(['TRAFFIC_POLICY_NO_LOCAL_ENDPOINT proven']);
  expect(found([{ ...to, to: NODE2 }], local).findings).toEqual([]);
});

test('a port that the Service does not have', () => {
  const rejected = { to: SERVICE, port: 81, isRejected: true };
  expect(found([rejected], facts()).findings).toEqual(['SERVICE_PORT_MISSING proven']);
  expect(found([{ to: SERVICE, port: 81 }], facts()).findings).toEqual(['SERVICE_PORT_MISSING proven']);
  expect(found([{ ...rejected, port: 80 }], facts()).findings).toEqual([]);
  expect(found([{ ...rejected, to: SERVER }], facts()).findings).toEqual([]);
  expect(found([rejected, { ...rejected, isRejected: false, isAnswered: true }], facts()).findings).toEqual([]);
  expect(found([rejected], facts({ services: 'unreadable' })).findings).toEqual([]);
});
