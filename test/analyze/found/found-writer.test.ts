import { describe, expect, test } from 'vitest';
import { Clock } from '../../../src/analyze/engine/clock.ts';
import type { FlowFacts, FlowIdentity } from '../../../src/analyze/flow/flow-facts.ts';
import type { TracedPacket } from '../../../src/analyze/flow/traced-packet.ts';
import { FoundWriter, isSameFlow } from '../../../src/analyze/found/found-writer.ts';
import { NO_TOTALS } from '../../../src/analyze/found/totals.ts';
import { Hosts } from '../../../src/analyze/identity/hosts.ts';
import { DIRECTION } from '../../../src/analyze/layers/layer.ts';
import { PacketView } from '../../../src/analyze/packet/packet.ts';
import type { Exchange } from '../../../src/analyze/record/event.ts';

const ADDRESSES = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
const CLIENT = 0;
const SERVER = 1;
const OTHER = 2;
const NOW = 5_000;
const COUNTED = { ...NO_TOTALS, packets: 3 };

type Found = readonly [kind: string, interfaceId: number, ...parts: unknown[]];

/** A writer at 5,000 ns after a first packet at one second, whose interface 4 was the first; and what it writes. */
function writer({ hasRoom = () => true, podAt = 4 }: { hasRoom?: (found: Found) => boolean; podAt?: number } = {}) {
  const clock = new Clock();
  clock.set(0, 1e9);
  clock.set(0, 1e9 + NOW);
  const hosts = new Hosts();
  for (const text of ADDRESSES) hosts.number(Uint8Array.from(text.split('.'), Number), 0, 4);
  const found: Found[] = [];
  const at: string[] = [];
  const made = new FoundWriter(({ interfaceId, time }, parts) => {
    if (!hasRoom(parts as Found)) return false;
    found.push(JSON.parse(JSON.stringify(parts)) as Found);
    at.push(`${interfaceId} ${time}`);
    return true;
  });
  made.attach({ clock, hosts, places: { isPod: (id) => id === podAt } });
  made.interfaceBegan(4, 7n);
  return { made, clock, hosts, at, found, take: () => found.splice(0) };
}

const FLOW = {
  id: 9,
  transport: 'tcp',
  clientHost: CLIENT,
  serverHost: SERVER,
  clientPort: 4000,
  serverPort: 80,
  interfaceId: 6,
  continued: undefined,
  sameAs: undefined,
  redirect: undefined,
} as const satisfies FlowIdentity;
const IDENTITY = {
  transport: 'tcp',
  clientHost: '10.0.0.1',
  serverHost: '10.0.0.2',
  clientPort: 4000,
  serverPort: 80,
};
const EXCHANGE: Exchange = {
  kind: 'exchange',
  protocol: 'http',
  label: 'GET /',
  fields: {},
  time: 1_000,
  requestEnd: 2_000,
  responseTime: 3_000,
  responseEnd: 4_000,
  requestBytes: 1,
  responseBytes: 2,
  status: '200',
  failed: false,
  route: 'GET /',
};
const WRITTEN = { ...EXCHANGE, time: -4_000, requestEnd: -3_000, responseTime: -2_000, responseEnd: -1_000 };
const REPEATED = {
  exchange: EXCHANGE,
  count: 2,
  first: 500,
  requestBytes: 10,
  responseBytes: 20,
  times: {},
  requestIds: [],
};
const REPEATED_PARTS = [2, -4_500, 10, 20, expect.anything(), ''];

const LEG = { id: 3, serverHost: OTHER, unopened: true } as const;
const REDIRECT = { host: OTHER, port: 15_001 };
/** Each way in which the next event of a flow may show something else of it. */
const CHANGES: readonly [what: string, change: Partial<FlowIdentity>][] = [
  ['continued', { continued: true }],
  ['client', { clientHost: OTHER }],
  ['server', { serverHost: OTHER }],
  ['client port', { clientPort: 4001 }],
  ['server port', { serverPort: 81 }],
  ['another leg', { sameAs: LEG }],
  ['a redirect', { redirect: REDIRECT }],
];

describe('what an event shows of its flow', () => {
  test('travels once: with the first event, and with the first one behind the end of the flow', () => {
    const { made, take } = writer();
    take();
    made.event(EXCHANGE, FLOW);
    made.event(EXCHANGE, { ...FLOW });
    made.repeated(REPEATED, FLOW);
    expect(take()).toEqual([
      ['e', 6, 9, IDENTITY, null, WRITTEN],
      ['e', 6, 9, null, null, WRITTEN],
      ['a', 6, 9, null, null, WRITTEN, REPEATED_PARTS],
    ]);
    made.flowEnded({ ...FLOW, facts: () => FACTS });
    take();
    made.event(EXCHANGE, FLOW);
    expect(take()).toEqual([['e', 6, 9, IDENTITY, null, WRITTEN]]);
  });

  test('travels with a connection that does not come up, and not again with what comes of it then', () => {
    const { made, take } = writer();
    take();
    made.notOpened(FLOW, -7, true);
    made.notOpened({ ...FLOW }, -7, false);
    made.event(EXCHANGE, FLOW);
    expect(take()).toEqual([
      ['o', 6, 9, IDENTITY, null, -7, 1],
      ['o', 6, 9, null, null, -7, 0],
      ['e', 6, 9, null, null, WRITTEN],
    ]);
  });

  test.each(CHANGES)('travels again where it is another: %s', (_what, change) => {
    const { made, take } = writer();
    made.event(EXCHANGE, FLOW);
    take();
    made.event(EXCHANGE, { ...FLOW, ...change });
    made.event(EXCHANGE, { ...FLOW, ...change });
    made.event(EXCHANGE, FLOW);
    expect(take().map(([, , , identity]) => identity !== null)).toEqual([true, false, true]);
    expect(isSameFlow(FLOW, { ...FLOW, ...change })).toBe(false);
  });

  test.each([
    ['number', { sameAs: { ...LEG, id: 4 } }],
    ['server', { sameAs: { ...LEG, serverHost: SERVER } }],
    ['opening', { sameAs: { ...LEG, unopened: false } }],
    ['address of the proxy', { redirect: { ...REDIRECT, host: SERVER } }],
    ['port of the proxy', { redirect: { ...REDIRECT, port: 15_006 } }],
  ])('another %s is another', (_what, change) => {
    const shown = { ...FLOW, sameAs: LEG, redirect: REDIRECT };
    expect(isSameFlow(shown, { ...shown, sameAs: { ...LEG }, redirect: { ...REDIRECT } })).toBe(true);
    expect(isSameFlow(shown, { ...shown, ...change })).toBe(false);
  });

  test('a leg, a redirect and that it continues travel with addresses as text', () => {
    const { made, take } = writer();
    take();
    made.event(EXCHANGE, { ...FLOW, continued: true, sameAs: LEG, redirect: REDIRECT });
    expect(take()).toEqual([
      [
        'e',
        6,
        9,
        { continued: true, ...IDENTITY, redirect: { host: '10.0.0.3', port: 15_001 } },
        { id: 3, serverHost: '10.0.0.3', unopened: true },
        WRITTEN,
      ],
    ]);
  });

  test('travels without an event where that is wanted and was not written before', () => {
    const { made, take } = writer();
    take();
    const info = { ...FLOW, facts: () => FACTS };
    made.identity(info);
    made.identity(info);
    made.identity({ ...info, serverPort: 81 });
    made.event(EXCHANGE, { ...FLOW, serverPort: 81 });
    expect(take()).toEqual([
      ['n', 6, 9, IDENTITY, null],
      ['n', 6, 9, { ...IDENTITY, serverPort: 81 }, null],
      ['e', 6, 9, null, null, WRITTEN],
    ]);
  });

  test('counts as not written where the event had no room in a block', () => {
    let room = false;
    const { made, take } = writer({ hasRoom: ([kind]) => kind !== 'e' || room });
    take();
    made.event(EXCHANGE, FLOW);
    room = true;
    made.event(EXCHANGE, FLOW);
    made.totals(COUNTED, undefined);
    expect(take()).toEqual([
      ['e', 6, 9, IDENTITY, null, WRITTEN],
      ['t', 4, { ...COUNTED, tooLong: 1, heldNs: 0 }],
    ]);
  });
});

const COUNTS = { packets: 3, bytes: 300, payload: 100 };
const FACTS = {
  ...FLOW,
  first: 1_000,
  last: NOW,
  client: COUNTS,
  server: COUNTS,
  protocol: 'http',
  tcp: undefined,
} satisfies FlowFacts;

describe('flows that end', () => {
  test('of one that was nothing but there, its end alone travels, and only where the reader knows whose it is', () => {
    const { made, take } = writer();
    take();
    expect(made.flowGone(FLOW)).toBe(false);
    expect(take()).toEqual([]);
    made.event(EXCHANGE, FLOW);
    take();
    expect(made.flowGone({ ...FLOW, serverPort: 81 })).toBe(false);
    expect(made.flowGone(FLOW)).toBe(true);
    expect(made.flowGone(FLOW)).toBe(false);
    expect(take()).toEqual([['g', 6, 9]]);
  });

  test('what was added up of many flows travels with whose it is each time, and shows nothing of the flow', () => {
    const { made, take } = writer();
    take();
    made.event(EXCHANGE, FLOW);
    take();
    made.lookups(REPEATED, FLOW);
    made.lastOfFlow(EXCHANGE, FLOW);
    made.flowsGone(3, FLOW);
    expect(take()).toEqual([
      ['d', 6, 9, IDENTITY, WRITTEN, REPEATED_PARTS],
      ['w', 6, 9, IDENTITY, WRITTEN],
      ['u', 6, IDENTITY, 3],
    ]);
    made.event(EXCHANGE, FLOW);
    expect(take()).toEqual([['e', 6, 9, null, null, WRITTEN]]);
  });

  test('connections that were added up leave nothing of the flow that stands for them', () => {
    const { made, take } = writer();
    take();
    const opened = { ...REPEATED, exchange: { ...EXCHANGE, protocol: 'tcp', responseTime: undefined } };
    made.connections({ opened, clientPorts: [4000, 4001] }, FLOW, FACTS);
    const parts = [REPEATED_PARTS, -4_000, 0, 3, 100, 3, 100, 'http', expect.any(String)];
    const connection = { ...WRITTEN, protocol: 'tcp', responseTime: undefined };
    expect(take()).toEqual([['c', 6, 9, IDENTITY, null, connection, parts]]);
    made.event(EXCHANGE, FLOW);
    expect(take()).toEqual([['e', 6, 9, IDENTITY, null, WRITTEN]]);
  });

  test('times in its facts count from now, and its legs travel', () => {
    const { made, take } = writer();
    take();
    const info = { ...FLOW, sameAs: LEG, facts: () => FACTS };
    made.legJoined(info);
    made.flowEnded(info);
    const leg = { id: 3, serverHost: '10.0.0.3', unopened: true };
    const facts = { ...IDENTITY, first: -4_000, last: 0, client: COUNTS, server: COUNTS, protocol: 'http' };
    expect(take()).toEqual([
      ['j', 6, 9, IDENTITY, leg],
      ['f', 6, 9, facts, leg],
    ]);
  });
});

/** A packet of TCP from 10.0.0.1:4000 to 10.0.0.2:80, seen at interface 4. */
function packet(change: Partial<PacketView> = {}): PacketView {
  const made = new PacketView();
  made.bytes = Uint8Array.of(10, 0, 0, 1, 10, 0, 0, 2);
  made.caplen = 8;
  made.interfaceId = 4;
  made.ipProtocol = 6;
  made.addressLength = 4;
  made.sourceAddress = 0;
  made.destinationAddress = 4;
  made.sourcePort = 4000;
  made.destinationPort = 80;
  return Object.assign(made, change);
}
const ENDS = ['10.0.0.1', 4000, '10.0.0.2', 80];

describe('flows that begin', () => {
  test('are numbered, with what their first packet shows', () => {
    const { made, take } = writer();
    take();
    const SYN = 2;
    for (const change of [
      {},
      { direction: DIRECTION.outbound, tcpFlags: SYN },
      { direction: DIRECTION.inbound },
      { ipProtocol: 17, tcpFlags: SYN },
      { ipProtocol: 1, sourcePort: -1, destinationPort: -1 },
      { sourcePort: 0, destinationPort: 1 },
      { sourceAddress: -1, destinationAddress: -1, ipProtocol: -1 },
    ])
      made.flowBegan(packet(change));
    expect(take()).toEqual([
      ['b', 4, 0, 6, ...ENDS, 0, 0],
      ['b', 4, 1, 6, ...ENDS, 1, 2],
      ['b', 4, 2, 6, ...ENDS, 2, 0],
      ['b', 4, 3, 17, ...ENDS, 0, 0],
      ['b', 4, 4, 1, '10.0.0.1', 0, '10.0.0.2', 0, 0, 0],
      ['b', 4, 5, 6, '10.0.0.1', 0, '10.0.0.2', 1, 0, 0],
      ['b', 4, 6, -1, null, 4000, null, 80, 0, 0],
    ]);
  });

  test.each([
    ['of a pod, flooded by a bridge', 4, 3, 1],
    ['of a pod', 4, 0, 0],
    ['of a node', 5, 3, 0],
  ])('at an interface %s', (_what, podAt, packetType, known) => {
    const { made, take } = writer({ podAt });
    take();
    // LINUX_SLL2 has the packet's type at byte 10.
    const cooked = packet({ linkType: 276, caplen: 20 });
    cooked.bytes = Uint8Array.of(10, 0, 0, 1, 10, 0, 0, 2, 0, 0, packetType, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    made.flowBegan(cooked);
    expect(take()).toEqual([['b', 4, 0, 6, ...ENDS, 0, known]]);
  });

  test('what a datagram showed before its flow began follows it, once', () => {
    const { made, take } = writer();
    take();
    made.legShown(0, 4, 11, 12);
    expect(take()).toEqual([]);
    made.flowBegan(packet());
    made.flowBegan(packet());
    made.legShown(1, 4, 13, 14);
    made.legShown(2, 4, 15, 16, true);
    made.legShown(1, 5, 17, 18, true);
    expect(take()).toEqual([
      ['b', 4, 0, 6, ...ENDS, 0, 0],
      ['k', 4, 0, 11, 12],
      ['b', 4, 1, 6, ...ENDS, 0, 0],
      ['k', 4, 1, 13, 14],
      ['m', 4, 2, 15, 16],
      ['m', 5, 1, 17, 18],
    ]);
  });

  test('of a packet that stays on the node, the pod that it leaves or comes to', () => {
    const { made, take } = writer();
    take();
    for (const direction of [DIRECTION.unknown, DIRECTION.outbound, DIRECTION.inbound]) {
      made.leftAt(packet({ direction }));
    }
    expect(take()).toEqual([
      ['l', 4, '10.0.0.1'],
      ['l', 4, '10.0.0.2'],
    ]);
  });
});

const SEGMENT: TracedPacket = {
  flow: 9,
  time: NOW,
  interfaceId: 6,
  place: 6,
  mayCopy: true,
  hopLimit: 64,
  ipProtocol: 6,
  sourceHost: CLIENT,
  sourcePort: 4000,
  destinationHost: SERVER,
  destinationPort: 80,
  tcpFlags: 0,
  sequence: 0,
  acknowledgment: 0,
  payloadLength: 10,
  contentHash: 0,
  offer: { scale: 0, timestamp: undefined },
  tunnel: undefined,
};

describe('where and when it is written', () => {
  test('all comes as the interface that was first, at the time of its packet', () => {
    const { made, at, found } = writer();
    made.interfaceBegan(6, 8n, true);
    made.event(EXCHANGE, FLOW);
    made.sampling(2);
    expect(found.map(([kind, interfaceId, ...parts]) => [kind, interfaceId, parts.length])).toEqual([
      ['i', 4, 0],
      ['i', 6, 1],
      ['e', 6, 4],
      ['s', 4, 1],
    ]);
    expect(at).toEqual(['4 7', '4 8', '4 1000005000', '4 1000005000']);
    expect(made.now).toBe(NOW);
  });

  test('the first interface may be number 0; the reader learns of one that is alone in the capture', () => {
    const written: unknown[] = [];
    const made = new FoundWriter(({ interfaceId }, parts) => written.push([interfaceId, ...parts]) > 0);
    made.attach({ clock: new Clock(), hosts: new Hosts(), places: { isPod: () => true } });
    made.interfaceBegan(0, 1n);
    made.interfaceBegan(1, 2n, true);
    made.totals(COUNTED, undefined);
    expect(written).toEqual([
      [0, 'i', 0],
      [0, 'i', 1, 1],
      [0, 't', 0, { ...COUNTED, tooLong: 0, heldNs: 0 }],
    ]);
  });

  test('packets of a trace are written before what comes behind them, at their own time', () => {
    const { made, at, take } = writer();
    take();
    at.splice(0);
    const seen = (sequence: number, device?: number) =>
      made.traced({ ...SEGMENT, sequence, time: NOW - 100 }, ...(device === undefined ? [] : [device]));
    seen(7);
    made.flush();
    seen(17);
    made.event(EXCHANGE, { ...FLOW, id: 10 });
    seen(27);
    made.totals(COUNTED, undefined);
    // Behind the end of its flow all that is known of it is written anew.
    seen(37);
    made.flowEnded({ ...FLOW, facts: () => FACTS });
    seen(47);
    seen(57, 1);
    made.flush();
    const way = (number: number, device: number) => [number, 6, 9, 6, 64, device, ...ENDS];
    expect(take().map((parts) => (parts[0] === 'p' ? parts : parts[0]))).toEqual([
      ['p', 6, [0, 0, 7, 10], [way(0, 0)]],
      ['p', 6, [0, 0, 0, 10], []],
      'e',
      ['p', 6, [0, 0, 0, 10], []],
      't',
      ['p', 6, [0, 0, 0, 10], []],
      'f',
      ['p', 6, [1, 0, 47, 10, 2, 0, 57, 10], [way(1, 0), way(2, 1)]],
    ]);
    expect(at.slice(0, 3)).toEqual(['4 1000004900', '4 1000004900', '4 1000005000']);
  });

  test('totals are of the latest time, with how long something has been held back', () => {
    const { made, clock, at, take } = writer();
    clock.set(0, 1e9 + 10);
    take();
    at.splice(0);
    made.totals(COUNTED, 1_500);
    made.totals(COUNTED, NOW + 1);
    made.totals(COUNTED, undefined);
    expect(take()).toEqual([3_500, 0, 0].map((heldNs) => ['t', 4, { ...COUNTED, tooLong: 0, heldNs }]));
    expect(at).toEqual(Array(3).fill('4 1000005000'));
  });

  test('without an interface or an analysis nothing is written', () => {
    const found: unknown[] = [];
    const made = new FoundWriter((_at, parts) => found.push(parts) > 0);
    made.event(EXCHANGE, FLOW);
    made.totals(COUNTED, undefined);
    expect(made.now).toBe(0);
    expect(made.hostOf(packet(), 0)).toBe(-1);
    made.attach({ clock: new Clock(), hosts: new Hosts(), places: { isPod: () => true } });
    made.totals(COUNTED, undefined);
    expect(found).toEqual([]);
    expect([made.hostOf(packet(), -1), made.hostOf(packet(), 0), made.hostOf(packet(), 4)]).toEqual([-1, 0, 1]);
  });

  test('times count from now; those that are not known stay so', () => {
    const { made, take } = writer();
    take();
    const { protocol, label, fields, time, failed } = EXCHANGE;
    made.event({ ...EXCHANGE, responseTime: undefined, responseEnd: undefined }, FLOW);
    made.event({ kind: 'event', protocol, label, fields, time, failed, from: undefined, code: 'TCP_RESET' }, FLOW);
    const { responseTime: _begin, responseEnd: _end, ...unanswered } = WRITTEN;
    expect(take().map((parts) => parts.at(-1))).toEqual([
      unanswered,
      { kind: 'event', protocol, label, fields, time: -4_000, failed, code: 'TCP_RESET' },
    ]);
  });

  test('an address beyond the bound has no text', () => {
    const { made, hosts, take } = writer();
    take();
    made.event(EXCHANGE, { ...FLOW, clientHost: hosts.count - 1, serverHost: hosts.count });
    made.event(EXCHANGE, { ...FLOW, clientHost: -1 });
    expect(take().map(([, , , identity]) => identity)).toMatchObject([
      { clientHost: '10.0.0.3', serverHost: null },
      { clientHost: null, serverHost: '10.0.0.2' },
    ]);
  });
});
