import { expect, test } from 'vitest';
import type { FlowFacts, FlowInfo } from '../../../src/analyze/flow/flow-facts.ts';
import type { TracedPacket } from '../../../src/analyze/flow/traced-packet.ts';
import { FoundReader } from '../../../src/analyze/found/found-reader.ts';
import { NO_TOTALS } from '../../../src/analyze/found/totals.ts';
import { Hosts } from '../../../src/analyze/identity/hosts.ts';
import { SAMPLE_NOTES } from '../../../src/analyze/limits.ts';
import type { AnalysisEvent, Exchange } from '../../../src/analyze/record/event.ts';

const EXCHANGE = {
  kind: 'exchange',
  protocol: 'http',
  label: 'GET /',
  fields: { http: { method: 'GET' } },
  time: -30,
  requestEnd: -20,
  responseTime: -10,
  responseEnd: 0,
  requestBytes: 1,
  responseBytes: 2,
  status: '200',
  failed: false,
  route: 'GET /',
};
const FLOW = {
  transport: 'tcp',
  clientHost: '10.0.0.1',
  serverHost: '10.0.0.2',
  clientPort: 4000,
  serverPort: 80,
};
const COUNTS = { packets: 3, bytes: 300, payload: 100 };
const FACTS = { ...FLOW, first: -100, last: 0, client: COUNTS, server: COUNTS };

const began = (flow: number, to = '10.0.0.2') => ['b', 0, flow, 6, '10.0.0.1', 4000, to, 80, 1];
const exchange = (flow: number, event: object = EXCHANGE, identity: object = FLOW) => [
  'e',
  0,
  flow,
  identity,
  null,
  event,
];

/**
 * A reader at time 1000 whose interfaces have the number of their stream, and what it hands out. The third stream comes from the node
 * of the first, whose interface has the same name at every node; both have a second interface.
 * @param addsUp whether what takes it counts alone
 */
function reader(addsUp = true) {
  const events: { readonly event: AnalysisEvent; readonly flow: FlowInfo }[] = [];
  const ended: FlowFacts[] = [];
  const locals: string[] = [];
  const joined: number[] = [];
  const counts: number[] = [];
  const traced: TracedPacket[] = [];
  const lasts: { readonly exchange: Exchange; readonly flow: FlowInfo }[] = [];
  const gone: { readonly count: number; readonly id: number; readonly transport: string }[] = [];
  const hosts = new Hosts();
  let flows = 0;
  let totals = NO_TOTALS;
  const target = {
    hosts,
    now: () => 1000,
    newFlow: () => {
      flows += 1;
      return flows - 1;
    },
    interfaceName: (id: number) => (id === 4 || id === 5 ? 'shop/api/any' : 'shop/web/any'),
    placeOf: (id: number) => id << 16,
    mayCopy: () => true,
    nodeName: (id: number) => (id === 2 ? 'node-b' : 'node-a'),
    counted: (more: typeof NO_TOTALS) => {
      totals = { ...totals, packets: totals.packets + more.packets, copies: totals.copies + more.copies };
    },
  };
  const found = new FoundReader(target, {
    event: (event, flow) => void events.push({ event, flow }),
    flowEnded: (flow) => void ended.push(flow.facts()),
    repeated: ({ count }) => void counts.push(count),
    legJoined: (flow) => void joined.push(flow.id),
    traced: (packet) => void traced.push(packet),
    local: (host, interfaceId) => void locals.push(`${hosts.text(host)} ${interfaceId}`),
    ...(addsUp
      ? {
          connectionsEnded: () => {},
          lastOfFlow: (exchange, flow) => void lasts.push({ exchange, flow }),
          flowsEnded: (count, { id, transport }) => void gone.push({ count, id, transport }),
        }
      : {}),
  });
  for (const stream of [1, 2, 3]) found.described(stream, 0, stream);
  found.described(1, 1, 4);
  found.described(3, 1, 5);
  return {
    found,
    hosts,
    events,
    ended,
    locals,
    joined,
    counts,
    traced,
    lasts,
    gone,
    get totals() {
      return totals;
    },
    take: (stream: number, ...all: readonly unknown[]) => {
      for (const each of all) found.take({ stream, json: JSON.stringify(each) });
    },
  };
}

test('times, addresses, flows and interfaces become those of the reader', () => {
  const { take, events, ended, locals, hosts } = reader();
  take(2, began(17), exchange(17), ['f', 0, 17, FACTS, null]);
  expect(locals).toEqual(['10.0.0.1 2']);
  expect(events[0]?.event).toEqual({ ...EXCHANGE, time: 970, requestEnd: 980, responseTime: 990, responseEnd: 1000 });
  expect(events[0]?.flow).toMatchObject({ id: 0, interfaceId: 2, clientPort: 4000, serverPort: 80 });
  expect(hosts.text(events[0]?.flow.serverHost ?? -1)).toBe('10.0.0.2');
  expect(ended[0]).toMatchObject({ id: 0, interfaceId: 2, first: 900, last: 1000, client: COUNTS, server: COUNTS });
});

test('a flow that two nodes saw counts at the one that saw it first', () => {
  const one = reader();
  one.take(1, began(5));
  one.take(2, began(9), exchange(9));
  one.take(1, exchange(5), ['f', 0, 5, FACTS, null]);
  one.take(2, ['f', 0, 9, FACTS, null]);
  expect(one.events.map(({ flow }) => flow.interfaceId)).toEqual([1]);
  expect(one.ended.length).toBe(1);
  expect(one.totals.copies).toBe(6);
});

test('a flow of which a bridge flooded a packet to another pod counts where the flow itself is seen', () => {
  const { take, events, ended, totals } = reader();
  take(1, [...began(5), 1]);
  take(2, began(9), exchange(9));
  take(1, ['f', 0, 5, FACTS, null]);
  take(2, ['f', 0, 9, FACTS, null]);
  expect(events.map(({ flow }) => [flow.id, flow.interfaceId])).toEqual([[0, 2]]);
  expect(ended.map(({ interfaceId }) => interfaceId)).toEqual([2]);
  expect(totals.copies).toBe(0);
});

test('a connection that began before the capture is one before and behind NAT by a segment that two nodes saw', () => {
  const { take, events, joined } = reader();
  take(1, began(5, '10.96.0.1'), ['m', 0, 5, 7, 8], ['m', 0, 5, 9, 10], exchange(5));
  take(2, began(9, '10.0.0.7'), exchange(9), ['m', 0, 9, 9, 10], exchange(9));
  expect(events.map(({ flow }) => flow.sameAs?.id)).toEqual([undefined, undefined, 0]);
  expect(joined).toEqual([1]);
});

test('what a trace takes of packets has the times, flows and places of the reader', () => {
  const { take, traced } = reader();
  const ends = [0, '10.0.0.1', 4000, '10.0.0.2', 80];
  take(2, began(17), ['y', 0, [17, 2, 64, 5, 0, 8, 99], ends, ['VXLAN', '192.0.2.1', '192.0.2.2']]);
  take(2, ['p', 0, [3, 0, 6, 100, 3, 40, 0, 50], [[3, 0, 17, 6, 64, ...ends]]]);
  const own = { flow: 0, interfaceId: 2, place: 2 << 16, sourcePort: 4000, destinationPort: 80, hopLimit: 64 };
  expect(traced).toMatchObject([
    { ...own, time: 1000, sequence: 5, tcpFlags: 2, offer: { scale: 8, timestamp: 99 }, tunnel: { kind: 'VXLAN' } },
    { ...own, time: 960, sequence: 6, payloadLength: 100, tcpFlags: 0 },
    { ...own, time: 1000, sequence: 106, payloadLength: 50 },
  ]);
});

test.each([
  ['a direction that never began', [[7, 0, 0, 1], []]],
  ['no data', [[3, 0, 0, 0], [[3, 0, 17, 6, 64, 0, '10.0.0.1', 1, '10.0.0.2', 2]]]],
  ['an address that is none', [[3, 0, 0, 1], [[3, 0, 17, 6, 64, 0, 'web', 1, '10.0.0.2', 2]]]],
  ['an interface that is none', [[3, 0, 0, 1], [[3, 9, 17, 6, 64, 0, '10.0.0.1', 1, '10.0.0.2', 2]]]],
  ['a time that is none', [[3, 0, 0, 1, 3, 1e300, 0, 1], [[3, 0, 17, 6, 64, 0, '10.0.0.1', 1, '10.0.0.2', 2]]]],
  ['a time far from its own', [[3, 0, 0, 1, 3, 2e9, 0, 1], [[3, 0, 17, 6, 64, 0, '10.0.0.1', 1, '10.0.0.2', 2]]]],
  [
    'a direction that begins twice',
    [
      [3, 0, 0, 1],
      [
        [3, 0, 17, 6, 64, 0, '10.0.0.1', 1, '10.0.0.2', 2],
        [3, 0, 18, 6, 64, 0, '10.0.0.1', 1, '10.0.0.2', 2],
      ],
    ],
  ],
  ['no list', [{}, []]],
])('packets for a trace with %s are left out and counted', (_, packets) => {
  const { take, traced, found } = reader();
  take(1, began(17), ['p', 0, ...packets]);
  expect(traced).toEqual([]);
  expect(found.misunderstood).toBe(1);
});

test('a connection before and behind NAT is one, where two nodes saw its handshake', () => {
  const { take, events, hosts } = reader();
  take(1, began(5, '10.96.0.1'), ['k', 0, 5, 111, -222]);
  take(2, began(9, '10.0.0.7'), ['k', 0, 9, 111, -222], exchange(9));
  take(3, began(4, '10.0.0.8'), ['k', 0, 4, 111, -223], exchange(4));
  expect(events[0]?.flow.sameAs).toMatchObject({ id: 0, serverHost: hosts.number(Buffer.from([10, 96, 0, 1]), 0, 4) });
  expect(events[1]?.flow.sameAs).toBeUndefined();
});

test('an event that says nothing of its flow has what the one before said', () => {
  const { take, events } = reader();
  const leg = { id: 5, serverHost: '10.96.0.1' };
  take(1, began(5, '10.96.0.1'), began(9), ['e', 0, 9, FLOW, leg, EXCHANGE], ['e', 0, 9, null, null, EXCHANGE]);
  expect(events.map(({ flow }) => [flow.id, flow.sameAs?.id, flow.serverPort])).toEqual([
    [1, 0, 80],
    [1, 0, 80],
  ]);
});

test('a flow that ends after its other leg is known to be the same', () => {
  const { take, ended } = reader();
  const leg = { id: 5, serverHost: '10.96.0.1' };
  take(1, began(5, '10.96.0.1'), began(9), ['f', 0, 5, FACTS, null], ['f', 0, 9, FACTS, leg]);
  expect(ended.map(({ sameAs }) => sameAs?.id)).toEqual([undefined, 0]);
});

test('a flow of a lost agent does not keep the other node from counting', () => {
  const { take, events, found } = reader();
  take(1, ['i', 0], began(5));
  take(2, began(9), exchange(9));
  expect(events.length).toBe(0);
  // The same interface in another session.
  take(3, ['i', 0]);
  take(2, exchange(9));
  expect(events.length).toBe(1);
  expect(found.lost).toBe(1);
});

test('a connection goes on where the agent is back, unless another one opens on its ports', () => {
  const { take, events } = reader();
  take(1, ['i', 0], began(5, '10.96.0.1'), ['k', 0, 5, 111, -222]);
  take(2, began(9, '10.0.0.7'), ['k', 0, 9, 111, -222], exchange(9));
  take(3, ['i', 0], [...began(0, '10.96.0.1'), 0], exchange(0));
  take(3, [...began(1, '10.96.0.1'), 2], exchange(1));
  // The first leg's number stays, so the second one is the other leg as before.
  expect(events.map(({ flow }) => [flow.id, flow.sameAs?.id])).toEqual([
    [1, 0],
    [0, undefined],
    [2, undefined],
  ]);
});

/** The same at another interface of the stream. */
const at = (place: number, [kind, , ...rest]: readonly unknown[]) => [kind, place, ...rest];

test('a flow of which nothing came but its end is as its last event showed it', () => {
  const { take, ended, found } = reader();
  const datagrams = { ...FLOW, transport: 'udp' };
  take(2, began(17), exchange(17, EXCHANGE, datagrams), ['g', 0, 17]);
  expect(ended).toHaveLength(1);
  expect(ended[0]).toMatchObject({ id: 0, interfaceId: 2, clientPort: 4000, serverPort: 80, client: { packets: 0 } });
  expect(found.open).toBe(0);
  // Of a connection its facts are needed.
  take(2, ['g', 0, 18], ['g', 0, 'x'], began(19), exchange(19), ['g', 0, 19]);
  expect(found.misunderstood).toBe(3);
  expect(found.open).toBe(0);
  // An output that shows flows needs those of all.
  const shown = reader(false);
  shown.take(2, began(17), exchange(17, EXCHANGE, datagrams), ['g', 0, 17]);
  expect(shown.found.misunderstood).toBe(1);
  expect(shown.ended).toEqual([]);
});

test('what an agent that is alone adds up of many flows is of no flow that is kept', () => {
  const { take, counts, lasts, gone, found } = reader();
  const datagrams = { ...FLOW, transport: 'udp' };
  const none = [0, 0, ''];
  const added = (count: unknown) => [
    ...['d', 0, 17, datagrams, EXCHANGE],
    [count, -40, 1, 1, [none, none, none, none, [5, 5, '-8w']], ''],
  ];
  const last = ['w', 0, 17, datagrams, EXCHANGE];
  take(2, added(7), last, ['u', 0, datagrams, 3]);
  // What another agent may have seen counts by flow.
  expect([counts, lasts, gone, found.misunderstood]).toEqual([[], [], [], 3]);
  take(2, ['i', 0, 1], began(17), exchange(17, EXCHANGE, datagrams), added(7), last, ['u', 0, datagrams, 3]);
  expect(counts).toEqual([7]);
  expect(lasts).toMatchObject([{ exchange: { time: 970 }, flow: { id: 0, transport: 'udp' } }]);
  expect(gone).toEqual([{ count: 3, id: -1, transport: 'udp' }]);
  expect([found.open, found.misunderstood]).toEqual([1, 3]);
  for (const count of [0, -1, 1.5, 2 ** 40, '3', null]) take(2, added(count), ['u', 0, datagrams, count]);
  take(
    2,
    ['u', 0, FLOW, 3],
    ['u', 0, 'x', 3],
    [...last.slice(0, 4), { ...EXCHANGE, kind: 'message' }],
    ['w', 0, 'x', FLOW],
  );
  expect(found.misunderstood).toBe(3 + 12 + 4);
  expect([counts.length, lasts.length, gone.length, found.open]).toEqual([1, 1, 1, 1]);
  const shown = reader(false);
  shown.take(2, ['i', 0, 1], last, ['u', 0, datagrams, 3]);
  expect(shown.found.misunderstood).toBe(2);
});

test('what was added up before a flow took over from a lost agent may be counted there already', () => {
  const { take, counts, events } = reader();
  const none = [0, 0, ''];
  // One that remained alone has no label.
  const alone = (flow: number, time: number) =>
    exchange(flow, { ...EXCHANGE, label: '', time, requestEnd: time, responseTime: time, responseEnd: time });
  const added = (flow: number, count: number, first: number) => [
    ...exchange(flow, { ...EXCHANGE, time: 0, requestEnd: 0, responseTime: 0 }).with(0, 'a'),
    [count, first, 1, 1, [none, none, none, none, [5, 5, '-8w']], ''],
  ];
  take(1, ['i', 0], began(5), added(5, 7, -500));
  take(2, ['i', 0], began(9), added(9, 20, -400));
  expect(counts).toEqual([7]);
  take(3, ['i', 0]);
  take(2, added(9, 30, -1), added(9, 40, 0), alone(9, -1), alone(9, 0), exchange(9));
  expect(counts).toEqual([7, 40]);
  // What travelled at once was under way.
  expect(events.map(({ event }) => [event.label, event.time])).toEqual([
    ['', 1000],
    ['GET /', 970],
  ]);
});

test('a connection with both legs at the node of a lost agent counts at the leg that the next agent takes', () => {
  const { take, events } = reader();
  const other = (flow: number, id: number, serverHost: string) => ['e', 0, flow, FLOW, { id, serverHost }, EXCHANGE];
  take(1, ['i', 0], ['i', 1], began(4, '10.96.0.1'), at(1, began(5, '10.0.0.7')));
  take(1, exchange(4), at(1, other(5, 4, '10.96.0.1')));
  // The next one captures the pod of the server a moment earlier.
  take(3, ['i', 0], ['i', 1], at(1, [...began(0, '10.0.0.7'), 0]), at(1, exchange(0)));
  take(3, [...began(1, '10.96.0.1'), 0], other(1, 0, '10.0.0.7'), at(1, exchange(0)));
  expect(events.map(({ flow }) => [flow.id, flow.sameAs?.id])).toEqual([
    [0, undefined],
    [1, 0],
    [1, undefined],
    [0, 1],
    [1, undefined],
  ]);
});

test('what the lost agent of a node had opened does not join a leg to the other one a second time', () => {
  const { take, events } = reader();
  take(1, ['i', 0], ['i', 1], [...began(4, '10.96.0.1'), 2], ['k', 0, 4, 1_000, 2_000]);
  take(1, at(1, [...began(5, '10.0.0.7'), 2]), ['k', 1, 5, 1_000, 2_000]);
  take(3, ['i', 0], ['i', 1], [...began(0, '10.96.0.1'), 0], ['m', 0, 0, 1_500, 77], exchange(0));
  take(3, at(1, [...began(1, '10.0.0.7'), 0]), ['m', 1, 1, 1_500, 77]);
  take(3, at(1, ['e', 0, 1, FLOW, { id: 0, serverHost: '10.96.0.1' }, EXCHANGE]));
  expect(events.map(({ flow }) => [flow.id, flow.sameAs?.id])).toEqual([
    [0, undefined],
    [1, 0],
  ]);
});

test('connections at every interface of a lost agent go on when it is back', () => {
  const { take, events, found } = reader();
  take(1, ['i', 0], ['i', 1], began(4, '10.96.0.1'), at(1, began(5, '10.96.0.2')), exchange(4), at(1, exchange(5)));
  take(3, ['i', 0], [...began(0, '10.96.0.1'), 0], exchange(0));
  take(3, ['i', 1], at(1, [...began(1, '10.96.0.2'), 0]), at(1, exchange(1)));
  expect(events.map(({ flow }) => [flow.id, flow.interfaceId])).toEqual([
    [0, 1],
    [1, 4],
    [0, 3],
    [1, 5],
  ]);
  expect(found.lost).toBe(2);
});

test('a flow that counts at another node since its agent was lost does not count again when that is back', () => {
  const { take, events } = reader();
  take(1, ['i', 0], began(5));
  take(2, began(9));
  take(3, ['i', 0], [...began(0), 0], exchange(0));
  take(2, exchange(9));
  expect(events.map(({ flow }) => flow.interfaceId)).toEqual([2]);
});

test('a connection that opened while the agent of one end was away is one', () => {
  const { take, events } = reader();
  take(2, [...began(9, '10.0.0.7'), 2], ['k', 0, 9, 1_000, 2_000]);
  take(3, ['i', 0], [...began(0, '10.96.0.1'), 0], ['m', 0, 0, 1_500, 77], exchange(0));
  take(1, ['i', 0], [...began(0, '10.96.0.2'), 0], ['m', 0, 0, -900_000_000, 77], exchange(0));
  expect(events.map(({ flow }) => flow.sameAs?.id)).toEqual([0, undefined]);
});

test('a pod of the same name that starts at another node takes no flow from the agent of the first', () => {
  const { take, events, found } = reader();
  take(1, ['i', 0], began(5), exchange(5));
  take(2, ['i', 0]);
  take(1, ['e', 0, 5, null, null, EXCHANGE]);
  expect(events.map(({ flow }) => flow.id)).toEqual([0, 0]);
  expect([found.lost, found.misunderstood]).toEqual([0, 0]);
});

test('a flow that begins twice takes the place of the first, which is forgotten', () => {
  const { take, events, found } = reader();
  take(1, began(5), began(5, '10.0.0.9'));
  expect(found.open).toBe(1);
  take(2, began(9), exchange(9));
  expect(events.length).toBe(1);
});

test('counts only grow, whatever an agent claims', () => {
  const one = reader();
  one.take(1, ['t', 0, { ...NO_TOTALS, packets: 10 }], ['t', 0, { ...NO_TOTALS, packets: 25 }]);
  one.take(2, ['t', 0, { ...NO_TOTALS, packets: 5 }]);
  expect(one.totals.packets).toBe(30);
  one.take(1, ['t', 0, { ...NO_TOTALS, packets: 1 }]);
  expect(one.totals.packets).toBe(30);
});

const deep = JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`) as unknown;

test.each<[string, unknown]>([
  ['a time that no date has', exchange(1, { ...EXCHANGE, time: 1e308 })],
  ['an amount whose sum is no number', exchange(1, { ...EXCHANGE, requestBytes: 1e308 })],
  ['is no list', { a: 1 }],
  ['has no kind', []],
  ['has an unknown kind', ['z', 0]],
  ['is of no interface', ['l', 77, '10.0.0.1']],
  ['has no address', ['l', 0, 'web.shop']],
  ['has an address with a zone', ['l', 0, 'fe80::1%eth0']],
  ['is of a flow that is no number', exchange('5' as unknown as number)],
  ['has a port that is none', exchange(5, EXCHANGE, { ...FLOW, serverPort: 65_536 })],
  ['has a transport that is none', exchange(5, EXCHANGE, { ...FLOW, transport: 'x' })],
  ['says nothing of a flow that is not known', ['e', 0, 5, null, null, EXCHANGE]],
  ['has no event', ['e', 0, 5, FLOW, null, null]],
  ['has an event without a time', exchange(5, { ...EXCHANGE, time: undefined })],
  ['has a time that is text', exchange(5, { ...EXCHANGE, time: '5' })],
  ['has a negative length', exchange(5, { ...EXCHANGE, responseBytes: -1 })],
  ['has a reason that is none', exchange(5, { ...EXCHANGE, incomplete: 'whatever' })],
  ['has fields that are none', exchange(5, { ...EXCHANGE, fields: [] })],
  ['has fields without an end', exchange(5, { ...EXCHANGE, fields: { http: deep } })],
  ['has facts without counts', ['f', 0, 5, { ...FACTS, client: undefined }, null]],
  ['has totals that are none', ['t', 0, { packets: -1 }]],
])('what %s is left out and counted', (_what, bad) => {
  const { take, found, events, ended } = reader();
  take(1, bad);
  expect(found.misunderstood).toBe(1);
  expect(events).toEqual([]);
  expect(ended).toEqual([]);
  take(1, exchange(6));
  expect(events.length).toBe(1);
});

const REFUSAL = {
  kind: 'event',
  protocol: 'tcp',
  code: 'TCP_REFUSED',
  label: 'refused',
  time: 0,
  from: 1,
  failed: true,
  fields: {},
};
const TCP = {
  midstream: false,
  syns: 1,
  rtt: {},
  mss: [null, null],
  windowScale: [null, null],
  sack: false,
  client: {},
  server: {},
};
const HEALTH = [
  'retransmissions',
  'fastRetransmissions',
  'timeoutRetransmissions',
  'spuriousRetransmissions',
  'outOfOrder',
  'duplicateAcks',
  'keepAlives',
  'zeroWindows',
  'windowFull',
  'lost',
];
const health = Object.fromEntries(HEALTH.map((name) => [name, 0]));
const endedAs = (flow: number, state: string, serverHost = '10.0.0.2') => [
  'f',
  0,
  flow,
  { ...FACTS, serverHost, tcp: { ...TCP, state, client: health, server: health } },
  null,
];
const notOpened = (flow: number, leaves: unknown, serverHost: string, initial: unknown = -5) => [
  'o',
  0,
  flow,
  { ...FLOW, serverHost },
  null,
  initial,
  leaves,
];

test('a connection that is refused is one before and behind NAT, where it leaves one node and comes to another', () => {
  const { take, events, ended, found, hosts } = reader();
  take(1, began(5, '10.96.0.1'));
  take(2, began(9, '10.0.0.7'));
  take(2, notOpened(9, 0, '10.0.0.7'), ['e', 0, 9, null, null, REFUSAL]);
  take(1, notOpened(5, 1, '10.96.0.1'), ['e', 0, 5, null, null, REFUSAL]);
  take(2, endedAs(9, 'refused', '10.0.0.7'));
  take(1, endedAs(5, 'refused', '10.96.0.1'));
  expect(found.misunderstood).toBe(0);
  expect(events.map(({ flow }) => flow.clientPort)).toEqual([4000, 4000]);
  // The flow that began first counts, though the other node saw the reset first.
  expect(ended.map(({ id, sameAs }) => [id, sameAs?.id, sameAs?.unopened])).toEqual([
    [1, 0, true],
    [0, undefined, undefined],
  ]);
  expect(hosts.text(ended[0]?.sameAs?.serverHost ?? -1)).toBe('10.96.0.1');
});

test.each([
  ['both leave', 2, 1, -5],
  ['the number is another one', 2, 0, -6],
  ['one node saw both', 1, 0, -5],
])('connections that are refused are not one where %s', (_name, stream, leaves, initial) => {
  const { take, ended, found } = reader();
  take(1, began(5, '10.96.0.1'), notOpened(5, 1, '10.96.0.1'));
  take(stream, began(9, '10.0.0.7'), notOpened(9, leaves, '10.0.0.7', initial), endedAs(9, 'refused', '10.0.0.7'));
  expect(found.misunderstood).toBe(0);
  expect(ended.map(({ sameAs }) => sameAs)).toEqual([undefined]);
});

test('a connection that comes up after SYNs without an answer is joined by its handshake alone', () => {
  const { take, events, ended } = reader();
  take(1, began(5, '10.96.0.1'), notOpened(5, 1, '10.96.0.1'));
  take(2, began(9, '10.0.0.7'), notOpened(9, 0, '10.0.0.7'), ['k', 0, 9, 1, 2], exchange(9));
  take(1, ['k', 0, 5, 1, 2], exchange(5), endedAs(5, 'closed', '10.96.0.1'));
  take(2, endedAs(9, 'closed', '10.0.0.7'));
  expect(events.map(({ flow }) => [flow.id, flow.sameAs?.id])).toEqual([
    [1, undefined],
    [0, 1],
  ]);
  expect(ended.map(({ id, sameAs }) => [id, sameAs?.id, sameAs?.unopened])).toEqual([
    [0, 1, undefined],
    [1, undefined, undefined],
  ]);
});

test('a connection whose end shows that it came up is no leg of one that did not', () => {
  const { take, ended } = reader();
  take(1, began(5, '10.96.0.1'), notOpened(5, 1, '10.96.0.1'));
  take(2, began(9, '10.0.0.7'), notOpened(9, 0, '10.0.0.7'), endedAs(9, 'reset', '10.0.0.7'));
  expect(ended.map(({ sameAs }) => sameAs)).toEqual([undefined]);
});

test('a connection that is refused counts where the agent of its other leg is lost', () => {
  const { take, ended } = reader();
  take(1, ['i', 0], began(5, '10.96.0.1'), notOpened(5, 1, '10.96.0.1'));
  take(2, began(9, '10.0.0.7'), notOpened(9, 0, '10.0.0.7'));
  take(3, ['i', 0]);
  take(2, endedAs(9, 'refused', '10.0.0.7'));
  expect(ended.map(({ sameAs }) => sameAs)).toEqual([undefined]);
});

test.each([
  ['a third direction', notOpened(5, 2, '10.0.0.2')],
  ['a direction that is none', notOpened(5, true, '10.0.0.2')],
  ['half a number', notOpened(5, 1, '10.0.0.2', 1.5)],
  ['a number that is text', notOpened(5, 1, '10.0.0.2', '1')],
  ['an address that is none', notOpened(5, 1, '10.0.0.2 ')],
  ['nothing of its flow', ['o', 0, 5, null, null, 1, 1]],
])('what is of a connection that does not come up, and has %s, is left out and counted', (_name, text) => {
  const { take, found } = reader();
  take(1, began(5), text);
  expect(found.misunderstood).toBe(1);
});

test('what is no JSON is left out and counted', () => {
  const { found } = reader();
  for (const json of ['', '{', 'nul', '[1e999,0]']) found.take({ stream: 1, json });
  expect(found.misunderstood).toBe(4);
});

test('members that have no meaning do not reach an event', () => {
  const { events, found } = reader();
  const own = JSON.stringify({ ...EXCHANGE, extra: 1 }).replace('{', '{"__proto__":{"failed":true},');
  found.take({ stream: 1, json: `["e",0,5,${JSON.stringify(FLOW)},null,${own}]` });
  expect(Object.keys(events[0]?.event ?? {})).toEqual(Object.keys(EXCHANGE));
  expect(Object.getPrototypeOf(events[0]?.event)).toBe(Object.prototype);
});

test('of an agent that changes its sample again and again no more is said than of one that does so for an hour', () => {
  const { found, take } = reader();
  const told: number[] = [];
  found.onSample = (_node, level) => void told.push(level);
  for (let change = 0; change < SAMPLE_NOTES; change += 1) take(1, ['s', 0, 1], ['s', 0, 0]);
  take(1, ['s', 0, 3]);
  expect(told).toHaveLength(SAMPLE_NOTES);
  expect(found.sample?.until).toBeUndefined();
});
