import {
  type DirectionFacts,
  type FlowFacts,
  type FlowInfo,
  NO_TROUBLES,
  type TcpDirectionFacts,
  type TcpFacts,
} from '../../src/analyze/flow/flow-facts.ts';
import { Hosts } from '../../src/analyze/identity/hosts.ts';
import { Names } from '../../src/analyze/identity/names.ts';
import type { Exchange, Message, Notice } from '../../src/analyze/record/event.ts';
import { Recorder } from '../../src/analyze/record/record.ts';

/** 2026-07-02T14:03:07.123456789Z, as ns since 1970. */
export const BASE = BigInt(Date.UTC(2026, 6, 2, 14, 3, 7)) * 1_000_000n + 123_456_789n;

export const CLIENT = '10.244.1.9';
export const SERVER = '10.244.1.5';

/** The number of an IPv4 address. */
export function host(hosts: Hosts, address: string): number {
  return hosts.number(Uint8Array.from(address.split('.').map(Number)), 0, 4);
}

/** Hosts, names and a recorder of an analysis that has one interface. */
export function madeAnalysis() {
  const hosts = new Hosts();
  const names = new Names(hosts);
  const recorder = new Recorder({ hosts, names, interfaceName: (id) => (id === 0 ? 'shop/client-1/any' : '') }, BASE);
  const flow = (facts: Partial<FlowFacts> = {}) => madeFlow(hosts, facts);
  return { hosts, names, recorder, flow };
}

function madeFlow(hosts: Hosts, facts: Partial<FlowFacts>): FlowInfo {
  const all: FlowFacts = {
    id: 0,
    transport: 'tcp',
    clientHost: host(hosts, CLIENT),
    serverHost: host(hosts, SERVER),
    clientPort: 41_234,
    serverPort: 80,
    interfaceId: 0,
    first: 0,
    last: 5e6,
    client: directionFacts,
    server: directionFacts,
    protocol: 'http',
    tcp: undefined,
    ...facts,
  };
  return { ...all, facts: () => all };
}

export const directionFacts: DirectionFacts = { packets: 3, bytes: 300, payload: 100 };

export const tcpDirection: TcpDirectionFacts = NO_TROUBLES;

export const tcpFacts: TcpFacts = {
  state: 'closed',
  midstream: false,
  closedBy: 'client',
  resetBy: undefined,
  handshakeRtt: 200_000,
  setup: 200_000,
  syns: 1,
  synSpan: 0,
  rtt: { client: undefined, server: { minimum: 100_000, mean: 150_000, maximum: 300_000, samples: 4 } },
  mss: [1460, undefined],
  windowScale: [7, 7],
  sack: true,
  client: tcpDirection,
  server: tcpDirection,
};

export function exchange(parts: Partial<Exchange> = {}): Exchange {
  return {
    kind: 'exchange',
    protocol: 'http',
    label: 'GET /cart',
    fields: { http: { method: 'GET', path: '/cart', host: 'web', status: 200 } },
    time: 0,
    requestEnd: 1000,
    responseTime: 1_000_000,
    responseEnd: 1_200_000,
    requestBytes: 80,
    responseBytes: 512,
    status: '200',
    failed: false,
    route: 'GET /cart',
    ...parts,
  };
}

export function message(parts: Partial<Message> = {}): Message {
  return {
    kind: 'message',
    protocol: 'websocket',
    label: 'text hello',
    fields: { websocket: { opcode: 'text' } },
    time: 2e6,
    from: 1,
    bytes: 5,
    ...parts,
  };
}

export function notice(parts: Partial<Notice> = {}): Notice {
  return {
    kind: 'event',
    protocol: 'tcp',
    label: 'reset by the server',
    fields: {},
    time: 3e6,
    from: 1,
    code: 'TCP_RESET',
    failed: true,
    ...parts,
  };
}
