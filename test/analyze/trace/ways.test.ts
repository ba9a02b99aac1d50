// Ways on which Kubernetes leads a connection to a pod: each is one request at all places that saw it.
import { expect, test } from 'vitest';
import type { TraceRecord } from '../../../src/analyze/trace/record.ts';
import { trace } from '../../../src/run/analysis/trace.ts';
import { analysisLines } from '../../support/analysis-lines.ts';
import { type End, type Passed, TracedCapture } from '../../support/traced-capture.ts';
import { CLIENT, get, localTracesOf, ok, SERVICE, sum, tracesOf, WEB } from './traces.ts';

const OUTSIDE = '203.0.113.9';
const NODE1 = '192.168.0.1';
const NODE2 = '192.168.0.2';
const BRIDGE = '10.244.2.1';
const at = (ip: string, port: number): End => [ip, port];

interface Way {
  readonly name: string;
  readonly interfaces: readonly string[];
  /** From the client to the server. */
  readonly places: readonly Passed[];
  readonly client: End;
  readonly server: End;
  /** What the trace shows, place by place. */
  readonly networks: readonly string[];
  readonly service?: string | undefined;
}

const WAYS: readonly Way[] = [
  {
    name: 'pod to a Service, same node',
    interfaces: ['shop/client-1/any', 'shop/web-1/any'],
    places: [
      { interfaceId: 0, ttl: 64 },
      { interfaceId: 1, ttl: 63, server: at(WEB, 8080) },
    ],
    client: at(CLIENT, 40_000),
    server: at(SERVICE, 80),
    networks: ['shop/client-1 > shop/web-1'],
    service: 'web.shop',
  },
  {
    name: 'pod to a Service, across nodes',
    // Their names give them clocks of their own (packet-blocks.ts).
    interfaces: ['shop/client-1/any', 'node1/ens1', 'node2/bond0', 'shop/web-1/any'],
    places: [
      { interfaceId: 0, ttl: 64 },
      { interfaceId: 1, ttl: 63, server: at(WEB, 8080), ahead: 2 },
      { interfaceId: 2, ttl: 63, server: at(WEB, 8080), ahead: -40 },
      { interfaceId: 3, ttl: 62, server: at(WEB, 8080), ahead: -40 },
    ],
    client: at(CLIENT, 40_000),
    server: at(SERVICE, 80),
    networks: ['shop/client-1 > node1/ens1', 'node1/ens1 > node2/bond0', 'node2/bond0 > shop/web-1'],
    service: 'web.shop',
  },
  {
    name: 'NodePort, externalTrafficPolicy Cluster: the node takes its own address',
    interfaces: ['node1/eth0', 'node2/eth0', 'shop/web-1/any'],
    places: [
      { interfaceId: 0, ttl: 60 },
      { interfaceId: 1, ttl: 59, client: at(NODE1, 61_000), server: at(WEB, 8080), ahead: 300 },
      { interfaceId: 2, ttl: 58, client: at(NODE1, 61_000), server: at(WEB, 8080), ahead: 300 },
    ],
    client: at(OUTSIDE, 40_000),
    server: at(NODE1, 30_080),
    networks: ['node1/eth0 > node2/eth0', 'node2/eth0 > shop/web-1'],
  },
  {
    name: 'NodePort, externalTrafficPolicy Local: the client keeps its address',
    interfaces: ['node2/eth0', 'shop/web-1/any'],
    places: [
      { interfaceId: 0, ttl: 60 },
      { interfaceId: 1, ttl: 59, server: at(WEB, 8080) },
    ],
    client: at(OUTSIDE, 40_000),
    server: at(NODE2, 30_080),
    networks: ['node2/eth0 > shop/web-1'],
  },
  {
    name: 'headless Service: no address is changed',
    interfaces: ['shop/client-1/any', 'shop/web-1/any'],
    places: [
      { interfaceId: 0, ttl: 64 },
      { interfaceId: 1, ttl: 62, ahead: 900 },
    ],
    client: at(CLIENT, 40_000),
    server: at(WEB, 8080),
    networks: ['shop/client-1 > shop/web-1'],
  },
];

function captured({ interfaces, places, client, server }: Way, requests: number): TracedCapture {
  const capture = new TracedCapture(interfaces);
  const connection = capture.connection(places, client, server, [1000, 9000]).handshake(1000);
  const last = places.length - 1;
  for (let index = 0; index < requests; index += 1) {
    const time = 1010 + index * 50;
    connection.send(
      0,
      get(`/${index}`),
      places.map((_, place) => time + place),
    );
    const answer = time + last + 5;
    connection.send(
      1,
      ok(),
      places.map((_, place) => answer + last - place),
    );
  }
  return capture;
}

test.each(WAYS)('$name', (way) => {
  const traces = tracesOf(captured(way, 3));
  expect(traces.map(({ label }) => label)).toEqual(['GET /0', 'GET /1', 'GET /2']);
  for (const { hops, total } of traces) {
    const networks = hops.filter(({ kind }) => kind === 'network');
    expect(networks.map(({ from, to }) => `${from} > ${to}`)).toEqual(way.networks);
    expect(networks.map(({ latency }) => latency)).toEqual(way.networks.map(() => 2e6));
    expect(networks[0]?.service).toBe(way.service);
    expect(hops.find(({ kind }) => kind === 'server')).toMatchObject({ from: 'shop/web-1', latency: 5e6 });
    expect(hops.every(({ confidence }) => confidence === 'proven')).toBe(true);
    expect(sum(hops)).toBe(total);
  }
});

/** Connections that follow one another, each with one request, through a node with a bridge that changes both addresses. */
function masqueraded(connections: number): TracedCapture {
  const capture = new TracedCapture(['shop/client-1/any', 'node1/any', 'shop/web-1/any']);
  for (let index = 0; index < connections; index += 1) {
    const gateway = at(BRIDGE, 61_000 + index);
    const places: Passed[] = [
      { interfaceId: 0, ttl: 64 },
      { interfaceId: 1, ttl: 64 },
      // The bridge shows what the server sends between the two translations.
      { interfaceId: 1, ttl: 63, server: at(WEB, 8080), onlySide: 1 },
      { interfaceId: 1, ttl: 63, client: gateway, server: at(WEB, 8080) },
      { interfaceId: 2, ttl: 63, client: gateway, server: at(WEB, 8080) },
    ];
    // Later than other places may bring packets: by then a request has its places.
    const start = 1000 + index * 5000;
    const connection = capture.connection(places, at(CLIENT, 40_000 + index), at(SERVICE, 80), [
      1000 + index * 5000,
      9000 + index * 7000,
    ]);
    connection
      .handshake(start, 0.01)
      .send(
        0,
        get(`/${index}`),
        places.map((_, place) => start + 1 + place * 0.01),
      )
      .send(
        1,
        ok(),
        places.map((_, place) => start + 6.04 - place * 0.01),
      )
      .close(start + 8, 0.01);
  }
  return capture;
}

test('a node with a bridge that masquerades: requests begin at their client, and no gap is counted', () => {
  const { lines, session } = analysisLines(trace, masqueraded(4).pcapng(), { [BRIDGE]: 'node1' });
  const traces = lines.map((line) => JSON.parse(line) as TraceRecord);
  expect(traces.map(({ label }) => label)).toEqual(['GET /0', 'GET /1', 'GET /2', 'GET /3']);
  for (const { hops, total } of traces) {
    expect(hops.filter(({ kind }) => kind === 'network').map(({ from, to }) => `${from} > ${to}`)).toEqual([
      'shop/client-1 > node1/any',
      'node1/any > node1/any',
      'node1/any > shop/web-1',
    ]);
    expect(sum(hops)).toBe(total);
  }
  expect(session.capture.analysis.bounds.gaps).toBe(0);
});

/** A Service's node with a bridge: requests pass it with the pod's address, answers with the Service's. */
const THROUGH_BRIDGE: readonly Passed[] = [
  { interfaceId: 0, ttl: 64 },
  { interfaceId: 1, ttl: 63, server: at(WEB, 8080), onlySide: 0 },
  { interfaceId: 1, ttl: 63, onlySide: 1 },
  { interfaceId: 2, ttl: 62, server: at(WEB, 8080) },
];

test('a request whose response passes a place with another address is open there no longer than at its client', () => {
  const capture = new TracedCapture(['shop/client-1/any', 'node1/any', 'shop/web-1/any']);
  const request = capture.connection(THROUGH_BRIDGE, at(CLIENT, 40_000), at(SERVICE, 80), [1000, 9000]);
  request.handshake(1000, 0.01).send(0, get('/first'), [1010, 1010.1, 1010.1, 1010.2]);
  request.send(1, ok(), [1020.3, 1020.2, 1020.2, 1020.1]);
  // A while later the pod calls another one for reasons of its own.
  const call = capture.connection(
    [
      { interfaceId: 2, ttl: 64 },
      { interfaceId: 1, ttl: 64 },
    ],
    at(WEB, 41_000),
    at('10.244.1.77', 6379),
    [3, 4],
  );
  call.handshake(1100, 0.01).send(0, get('/own'), [1110, 1110.1]).send(1, ok(), [1112, 1111.9]);
  expect(localTracesOf(capture).map(({ label, ambiguous }) => `${label} ${ambiguous ?? 0}`)).toEqual([
    'GET /first 0',
    'GET /own 0',
  ]);
});

test('two requests at once to a node that masquerades them: neither is a call of the other', () => {
  const capture = new TracedCapture(['shop/client-1/any', 'node1/any', 'shop/web-1/any']);
  const connections = [0, 1].map((index) => {
    const masqueraded = at(NODE1, 61_000 + index);
    const places: Passed[] = [
      { interfaceId: 0, ttl: 64 },
      { interfaceId: 1, ttl: 64 },
      // Between both translations the bridge shows what the client sends.
      { interfaceId: 1, ttl: 63, server: at(WEB, 8080), onlySide: 0 },
      { interfaceId: 1, ttl: 63, client: masqueraded, server: at(WEB, 8080) },
      { interfaceId: 2, ttl: 62, client: masqueraded, server: at(WEB, 8080) },
    ];
    return capture
      .connection(places, at(CLIENT, 40_000 + index), at(NODE1, 30_080), [1000 + index * 5000, 9000 + index * 7000])
      .handshake(1000 + index, 0.01);
  });
  const [slow, quick] = connections;
  const passing = (time: number, hop: number) => [0, 1, 2, 3, 4].map((place) => time + place * hop);
  slow?.send(0, get('/slow'), passing(1010, 0.01));
  quick?.send(0, get('/quick'), passing(1020, 0.01)).send(1, ok(), passing(1025.05, -0.01));
  slow?.send(1, ok(), passing(1050.05, -0.01));
  const { lines, session } = analysisLines(trace, capture.pcapng(), { [NODE1]: 'node1', [WEB]: 'shop/web-1' });
  const traces = lines.map((line) => JSON.parse(line) as TraceRecord);
  expect(traces.map(({ label }) => label).sort()).toEqual(['GET /quick', 'GET /slow']);
  for (const { label, hops, total, ambiguous } of traces) {
    expect(ambiguous).toBeUndefined();
    expect(hops.every((hop) => hop.label === label && hop.confidence === 'proven')).toBe(true);
    expect(sum(hops)).toBe(total);
  }
  expect(session.capture.analysis.bounds.gaps).toBe(0);
});

test('hairpin: a pod that is its own Service backend has one request, not a call of itself', () => {
  const places: Passed[] = [
    { interfaceId: 0, ttl: 64 },
    { interfaceId: 0, ttl: 63, client: at(BRIDGE, 61_000), server: at(WEB, 8080) },
  ];
  const way = { name: '', interfaces: ['shop/web-1/any'], places, networks: [] };
  const traces = tracesOf(captured({ ...way, client: at(WEB, 40_000), server: at(SERVICE, 80) }, 3));
  expect(traces.map(({ label }) => label)).toEqual(['GET /0', 'GET /1', 'GET /2']);
  for (const { hops, total } of traces) {
    expect(hops.every(({ depth }) => depth === 0)).toBe(true);
    expect(hops.every(({ latency }) => latency >= 0)).toBe(true);
    expect(sum(hops)).toBe(total);
  }
});

test('a pod to itself over loopback has one request', () => {
  const places: Passed[] = [{ interfaceId: 0, ttl: 64 }];
  const way = { name: '', interfaces: ['shop/web-1/any'], places, networks: [] };
  const traces = tracesOf(captured({ ...way, client: at('127.0.0.1', 40_000), server: at('127.0.0.1', 8080) }, 3));
  expect(traces.map(({ label, total }) => `${label} ${total}`)).toEqual([
    'GET /0 5000000',
    'GET /1 5000000',
    'GET /2 5000000',
  ]);
});

test.each([
  { name: 'over loopback', places: [{ interfaceId: 0, ttl: 64 }], client: '127.0.0.1', server: at('127.0.0.1', 8080) },
  {
    name: 'through its Service',
    places: [
      { interfaceId: 0, ttl: 64 },
      { interfaceId: 0, ttl: 63, client: at(BRIDGE, 61_000), server: at(WEB, 8080) },
    ],
    client: WEB,
    server: at(SERVICE, 80),
  },
])(
  'a pod that calls itself twice at once $name: the second may be a call of the first, and is not likely one',
  (way) => {
    const capture = new TracedCapture(['shop/web-1/any']);
    const [slow, quick] = [0, 1].map((index) => {
      const places = way.places.map(
        (place): Passed => ('client' in place ? { ...place, client: at(BRIDGE, 61_000 + index) } : place),
      );
      return capture
        .connection(places, at(way.client, 40_000 + index), way.server, [1000 + index * 5000, 9000 + index * 7000])
        .handshake(1000 + index, 0.01);
    });
    const passing = (time: number) => way.places.map((_, place) => time + place * 0.01);
    const back = (time: number) => [...passing(time)].reverse();
    slow?.send(0, get('/slow'), passing(1010));
    quick?.send(0, get('/quick'), passing(1020)).send(1, ok(), back(1025));
    slow?.send(1, ok(), back(1050));
    const traces = tracesOf(capture);
    expect(traces.reduce((count, { ambiguous = 0 }) => count + 1 + ambiguous, 0)).toBe(2);
    for (const { label, hops } of traces)
      expect(hops.every((hop) => hop.label === label && hop.confidence === 'proven')).toBe(true);
  },
);

/** One request of client-1 to web-1, seen at these interfaces. */
function seenAt(interfaces: readonly string[], ...seen: readonly number[]) {
  const places = seen.map((interfaceId, index): Passed => ({ interfaceId, ttl: 64 - index }));
  return captured({ name: '', interfaces, places, networks: [], client: at(CLIENT, 40_000), server: at(WEB, 8080) }, 1);
}

test("requests that only nodes' interfaces saw are not listed where pods were captured, and are where none was", () => {
  const nodes = ['node/node1/any', 'node/node2/any'];
  expect(tracesOf(seenAt(nodes, 0, 1))).toHaveLength(1);
  expect(tracesOf(seenAt([...nodes, 'shop/web-1/any'], 0, 1, 2))).toHaveLength(1);
  const { lines, session } = analysisLines(trace, seenAt([...nodes, 'shop/other/any'], 0, 1).pcapng());
  expect(lines).toEqual([]);
  expect(session.outputNotes).toEqual(["not listed: 1 request that only nodes' interfaces saw"]);
});

test("a pod's own time that only its node's interface shows is called the pod's", () => {
  const interfaces = ['shop/client-1/any', 'node2/ens1'];
  const capture = new TracedCapture(interfaces);
  const [request, call] = [
    capture.connection([{ interfaceId: 0 }, { interfaceId: 1, ttl: 63 }], at(CLIENT, 40_000), at(WEB, 8080), [1, 2]),
    capture.connection([{ interfaceId: 1, ttl: 63 }], at(WEB, 40_001), at('10.244.1.77', 6379), [3, 4]),
  ];
  request.handshake(1000).send(0, get('/cart?n=7'), [1010, 1011]);
  call.handshake(1012).send(0, get('/cart?n=7'), [1015]).send(1, ok(), [1020]);
  request.send(1, ok(), [1031, 1030]);
  const [found] = tracesOf(capture);
  expect(found?.hops.filter(({ kind }) => kind === 'proxy').map(({ from, latency }) => [from, latency])).toEqual([
    ['shop/web-1', 4e6],
    ['shop/web-1', 10e6],
  ]);
});
