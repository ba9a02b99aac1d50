import { expect, test } from 'vitest';
import type { PathStats } from '../../src/analyze/trace/paths.ts';
import type { HopRecord, TraceRecord } from '../../src/analyze/trace/record.ts';
import { Colours } from '../../src/view/colour.ts';
import { connectLines, pathTables, traceLine, waterfall } from '../../src/view/trace-lines.ts';

const style = { colours: new Colours(false), utc: true, width: undefined };

const hop = (over: Partial<HopRecord>): HopRecord => ({
  kind: 'network',
  from: 'shop/client-1',
  to: 'shop/web-1',
  service: undefined,
  label: 'GET /cart',
  depth: 0,
  latency: 0,
  oneWay: undefined,
  lost: [],
  confidence: 'proven',
  calls: undefined,
  flow: 1,
  ...over,
});

const trace = (over: Partial<TraceRecord>): TraceRecord =>
  ({
    v: 1,
    time: '2026-07-02T14:03:07.123456789Z',
    kind: 'trace',
    protocol: 'http',
    label: 'GET /cart',
    status: '200',
    failed: false,
    src: { ip: '10.0.0.1', pod: 'client-1', namespace: 'shop' },
    dst: { ip: '10.0.0.2', port: 80, pod: 'web-1', namespace: 'shop' },
    flow: 1,
    total: undefined,
    hops: [],
    slowest: undefined,
    ambiguous: undefined,
    connect: undefined,
    ...over,
  }) as TraceRecord;

const hops = [
  hop({ service: 'web.shop', latency: 202e6, lost: [{ count: 1, of: 'request', after: 200e6 }] }),
  hop({ kind: 'server', from: 'shop/web-1', to: undefined, latency: 10e6 }),
];

test('a line has the request, all it passed, the total and the slowest hop', () => {
  expect(traceLine(trace({ total: 212e6, hops, slowest: 0 }), style)).toBe(
    '14:03:07.123456 GET /cart 200 shop/client-1 → shop/web-1 212 ms slowest: shop/client-1 → shop/web-1 network 202 ms (95 %) 1 segment lost',
  );
});

test('a line begins at the client also where a node on the way puts its own address in place of the client', () => {
  const masqueraded = [
    hop({ to: 'node1', latency: 2e6 }),
    hop({ from: 'node1', to: 'shop/web-1', latency: 3e6 }),
    hop({ kind: 'server', from: 'shop/web-1', to: undefined, latency: 10e6 }),
  ];
  const src = { ip: '10.0.0.254', node: 'node1' } as TraceRecord['src'];
  const line = traceLine(trace({ src, total: 15e6, hops: masqueraded }), style);
  expect(line).toBe('14:03:07.123456 GET /cart 200 shop/client-1 → node1 → shop/web-1 15 ms');
});

test('a line has its own way, whatever the lines before it passed', () => {
  const way = (hops: readonly HopRecord[], over: Partial<TraceRecord> = {}) =>
    traceLine(trace({ hops, ...over }), style).replace('14:03:07.123456 GET /cart 200 ', '');
  const ofPod = (namespace: string, pod: string) => ({ ip: '10.0.0.9', pod, namespace }) as TraceRecord['src'];
  const server = hop({ kind: 'server', from: 'shop/web-1', to: undefined });
  const usual = [hop({}), server];
  const masked = hop({ from: 'shop/client-1', to: 'node1' });
  const behind = hop({ from: 'node1', to: 'shop/web-1' });
  // All of them have the server in their middle.
  for (let round = 0; round < 2; round += 1) {
    // One after the other differ in one thing alone.
    expect(way(usual)).toBe('shop/client-1 → shop/web-1');
    expect(way([masked, server])).toBe('shop/client-1 → node1 → shop/web-1');
    expect(way(usual)).toBe('shop/client-1 → shop/web-1');
    expect(way([hop({ from: 'node2' }), server])).toBe('shop/client-1 → node2 → shop/web-1');
    expect(way(usual)).toBe('shop/client-1 → shop/web-1');
    expect(way(usual, { src: ofPod('shop', 'client-2') })).toBe('shop/client-2 → shop/client-1 → shop/web-1');
    expect(way(usual, { src: ofPod('test', 'client-1') })).toBe('test/client-1 → shop/client-1 → shop/web-1');
    expect(way([masked, behind, server, server])).toBe('shop/client-1 → node1 → shop/web-1');
    // Whose request it is shows at the first depth alone.
    const src = { ip: '10.0.0.254', node: 'node1' } as TraceRecord['src'];
    const deep = [hop({ to: 'node1', depth: 1 }), server];
    expect(way([masked, server], { src })).toBe('shop/client-1 → node1 → shop/web-1');
    expect(way(deep, { src })).toBe('node1 → shop/client-1 → shop/web-1');
    expect(way([])).toBe('shop/client-1 → shop/web-1');
    expect(way([], { dst: ofPod('shop', 'client-1') })).toBe('shop/client-1 → shop/client-1');
  }
});

test('a connection that did not come up has a line with where its SYN was seen, and where not', () => {
  const connect = {
    outcome: 'unanswered',
    syns: 3,
    span: 3.01e9,
    lastSeen: 'node1/eth0',
    notSeen: ['shop/web-1'],
    answerSeen: undefined,
    rejection: undefined,
    confidence: 'proven',
    between: {
      fromNode: 'node1',
      toNode: 'node2',
      translated: true,
      tunnel: { kind: 'VXLAN', from: '192.168.0.1', to: '192.168.0.2' },
      proxyMode: 'nftables',
      policies: { names: ['shop/deny-all'], verdict: 'denied' },
    },
    counters: [{ place: 'shop/web-1', counter: 'TcpExt ListenDrops', change: 1200 }],
  } as const;
  const failed = trace({ protocol: 'tcp', label: 'connect', status: 'unanswered', failed: true, connect });
  expect(traceLine(failed, style)).toBe(
    "14:03:07.123456 connect unanswered shop/client-1 → shop/web-1 3 SYNs in 3.0 s, last seen at node1/eth0, not seen at shop/web-1, between them: node1 → node2, the Service's address translated, kube-proxy mode nftables, in a VXLAN tunnel 192.168.0.1 → 192.168.0.2, denied by NetworkPolicy shop/deny-all",
  );
  expect(connectLines([failed], style)).toEqual([
    '',
    'Connections that did not come up, and what the kernel counted meanwhile',
    '  shop/client-1 → shop/web-1 unanswered: TcpExt ListenDrops +1,200 at shop/web-1',
  ]);
  const nothing = {
    toNode: undefined,
    translated: undefined,
    tunnel: undefined,
    proxyMode: undefined,
    policies: undefined,
  };
  const unknown = { ...connect, between: { ...connect.between, ...nothing } };
  expect(traceLine({ ...failed, connect: unknown }, style)).toMatch(/not seen at shop\/web-1$/);
  const named = (verdict: 'allowed' | 'unknown') => {
    const policies = { names: ['shop/a', 'shop/b'], verdict };
    return traceLine({ ...failed, connect: { ...unknown, between: { ...unknown.between, policies } } }, style);
  };
  expect(named('unknown')).toMatch(/between them: NetworkPolicies shop\/a, shop\/b may deny it$/);
  expect(named('allowed')).toMatch(/between them: allowed by NetworkPolicies shop\/a, shop\/b$/);
  expect(connectLines([{ ...failed, connect: { ...connect, counters: undefined } }], style)).toEqual([]);
  expect(waterfall(failed, style)).toEqual([]);
});

test('both ways of a hop are shown where they are known', () => {
  const oneWay = { request: 40e6, response: 2e6, offset: -700e6, error: 0.2e6 };
  const [line] = waterfall(trace({ total: 42e6, hops: [hop({ latency: 42e6, oneWay })] }), style);
  expect(line).toMatch(/→ 40 ms ← 2.0 ms ± 200 µs$/);
});

test('what is not known is said, and nothing is made up', () => {
  const cut = trace({ status: undefined, incomplete: 'capture ended' });
  expect(traceLine(cut, style)).toBe('14:03:07.123456 GET /cart [capture ended] shop/client-1 → shop/web-1');
  expect(waterfall(cut, style)).toEqual([
    '  where the time went is not known: the request or its response is not complete here',
  ]);
});

test('the hops stand below one another with their share', () => {
  expect(waterfall(trace({ total: 212e6, hops, slowest: 0 }), style)).toEqual([
    '  shop/client-1 → shop/web-1  network   202 ms  ███████████████████  1 segment of the request lost, retransmitted after 200 ms  through web.shop',
    '  shop/web-1                  server     10 ms  █',
  ]);
});

test('hostile names do not reach the terminal', () => {
  const hostile = trace({ label: 'GET /\u001b[2J', total: 1, hops: [hop({ from: 'a\u001b]0;x\u0007', latency: 1 })] });
  for (const line of [traceLine(hostile, style), ...waterfall(hostile, style)]) {
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  }
});

test('a table adds up the requests of a route', () => {
  const latency = { count: 3, p50: 1e6, p90: 2e6, p99: 2e6, max: 2e6, mean: 1e6 };
  const path: PathStats = {
    route: 'GET /cart',
    protocol: 'http',
    service: 'web.shop',
    count: 3,
    failed: 1,
    total: latency,
    hops: [
      { kind: 'network', from: 'a', to: 'b', depth: 0, latency, share: 0.25, lost: 2, slowest: 1 },
      { kind: 'server', from: 'b', to: undefined, depth: 0, latency, share: 0.75, lost: 0, slowest: 0 },
    ],
    slowest: trace({ total: 212e6, hops, slowest: 0 }),
    lastFailed: trace({ status: '503', failed: true, total: 1e6 }),
  };
  expect(pathTables([path], style)).toEqual([
    '',
    'web.shop GET /cart: 3 requests, 1 failed, p50 1.0 ms, p99 2.0 ms',
    'HOP    KIND     COUNT     P50     P90     P99  SHARE  LOST  SLOWEST IN',
    'a → b  network      3  1.0 ms  2.0 ms  2.0 ms   25 %     2           1',
    'b      server       3  1.0 ms  2.0 ms  2.0 ms   75 %',
    '  slowest: 14:03:07.123456 GET /cart 200 shop/client-1 → shop/web-1 212 ms slowest: shop/client-1 → shop/web-1 network 202 ms (95 %) 1 segment lost',
    '  last failed: 14:03:07.123456 GET /cart 503 shop/client-1 → shop/web-1 1.0 ms',
  ]);
});
