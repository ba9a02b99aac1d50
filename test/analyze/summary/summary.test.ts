import { describe, expect, it } from 'vitest';
import type { Exchange } from '../../../src/analyze/record/event.ts';
import { ROUTES_PER_SERVER, ROWS_MAXIMUM, STATUSES_PER_ROW } from '../../../src/analyze/summary/exchange-rows.ts';
import { KEYS_MAXIMUM } from '../../../src/analyze/summary/keyed-rows.ts';
import { Summary } from '../../../src/analyze/summary/summary.ts';
import { TCP_SERVERS_MAXIMUM, WORST_FLOWS } from '../../../src/analyze/summary/tcp-health.ts';
import {
  CLIENT,
  exchange,
  host,
  madeAnalysis,
  message,
  notice,
  SERVER,
  tcpDirection,
  tcpFacts,
} from '../made-events.ts';

function made() {
  const analysis = madeAnalysis();
  const summary = new Summary(analysis.hosts, analysis.names);
  const report = (duration = 2e9) => summary.report(analysis.recorder, { first: 0, last: duration });
  return { ...analysis, summary, report };
}

const failed: Partial<Exchange> = { status: '503', failed: true };

describe('the summary of exchanges', () => {
  it('is per service, pod and route', () => {
    const { names, summary, flow, report, hosts } = made();
    names.add(SERVER, { namespace: 'shop', pod: 'web-1', service: 'web' }, 0);
    names.add('10.244.1.6', { namespace: 'shop', pod: 'web-2', service: 'web' }, 0);
    const second = flow({ serverHost: host(hosts, '10.244.1.6') });
    for (let count = 0; count < 3; count += 1) summary.event(exchange(), flow());
    summary.event(exchange({ ...failed, responseEnd: 90e6 }), second);
    summary.event(exchange({ route: 'GET /', status: '404' }), second);
    const { services, pods, routes, time, duration } = report();
    expect({ time, duration }).toEqual({ time: '2026-07-02T14:03:07.123456789Z', duration: 2e9 });
    expect(services).toHaveLength(1);
    expect(services[0]).toMatchObject({ service: 'web.shop', protocol: 'http', count: 5, rate: 2.5, failed: 1 });
    expect(services[0]).toMatchObject({ requestBytes: 400, responseBytes: 2560, latency: { count: 5, max: 90e6 } });
    expect(pods.map(({ pod, service, count }) => [pod, service, count])).toEqual([
      ['shop/web-1', 'web.shop', 3],
      ['shop/web-2', 'web.shop', 2],
    ]);
    expect(routes.map(({ route, count, statuses }) => [route, count, statuses])).toEqual([
      ['GET /cart', 4, { 200: 3, 503: 1 }],
      ['GET /', 1, { 404: 1 }],
    ]);
  });

  it('names servers by what they are called at that time, or by their address', () => {
    const { names, summary, flow, report } = made();
    names.addRecord(SERVER, ['web.shop'], 0);
    names.addRecord(SERVER, ['api.shop'], 100);
    summary.event(exchange({ time: 50 }), flow());
    summary.event(exchange({ time: 150 }), flow());
    summary.event(exchange({ requester: 1 }), flow());
    summary.event(exchange(), flow({ serverHost: -1 }));
    expect(report().services.map(({ service }) => service)).toEqual([CLIENT, 'api.shop', 'no address', 'web.shop']);
    expect(report().pods).toEqual([]);
  });

  it('tells no latency of what was not asked or not answered, and no rate of no time', () => {
    const { summary, flow, report } = made();
    summary.event(exchange({ incomplete: 'request not seen' }), flow());
    summary.event(exchange({ incomplete: 'no response', responseTime: undefined, responseEnd: undefined }), flow());
    expect(report(0).services[0]).toMatchObject({ count: 2, incomplete: 2, latency: undefined, rate: undefined });
    expect(summary.report(madeAnalysis().recorder, undefined)).toMatchObject({ time: undefined, duration: 0 });
  });

  it('groups statuses by their code, and those without one by what became of them', () => {
    const { summary, flow, report } = made();
    const open = { status: '', responseTime: undefined, responseEnd: undefined };
    const statuses: readonly Partial<Exchange>[] = [
      { protocol: 'grpc', status: 'NOT_FOUND no cart 17' },
      { protocol: 'grpc', status: 'NOT_FOUND no cart 18' },
      { protocol: 'grpc', status: 'RST CANCEL' },
      { protocol: 'postgresql', status: 'ERROR 42P01 relation "a" does not exist' },
      { protocol: 'postgresql', status: 'ERROR 42P01 relation "b" does not exist' },
      { protocol: 'redis', status: 'WRONGTYPE Operation against a key' },
      { protocol: 'mongodb', status: '11000 DuplicateKey' },
      { protocol: 'smtp', status: '421 4.7.0 Too many connections' },
      { protocol: 'http', ...open, incomplete: 'reset', endedBy: 1 },
      { protocol: 'http', ...open, incomplete: 'reset', endedBy: 0 },
      { protocol: 'http', ...open, incomplete: 'no response' },
      { protocol: 'http', ...open, incomplete: 'capture ended' },
      { protocol: 'http', incomplete: 'closed early', endedBy: 1 },
    ];
    for (const parts of statuses) summary.event(exchange({ route: 'r', ...parts }), flow());
    expect(Object.fromEntries(report().routes.map((row) => [row.protocol, row.statuses]))).toEqual({
      grpc: { NOT_FOUND: 2, 'RST CANCEL': 1 },
      postgresql: { 'ERROR 42P01': 2 },
      redis: { WRONGTYPE: 1 },
      mongodb: { '11000 DuplicateKey': 1 },
      smtp: { 421: 1 },
      http: {
        'reset by server': 1,
        'reset by client': 1,
        'no response': 1,
        'capture ended': 1,
        '200 (incomplete)': 1,
      },
    });
  });

  it('takes times of complete exchanges alone', () => {
    const { summary, flow, report } = made();
    summary.event(exchange({ requestEnd: 500_000 }), flow());
    summary.event(exchange({ incomplete: 'closed early', responseEnd: 1e9 }), flow());
    expect(report().services[0]).toMatchObject({
      count: 2,
      latency: { count: 1, max: 1_200_000 },
      ttfb: { count: 1, max: 1_000_000 },
      serverTime: { count: 1, max: 500_000 },
    });
  });

  it('has rows of Services whose connections failed before any exchange', () => {
    const { names, summary, flow, report } = made();
    names.add(SERVER, { namespace: 'shop', pod: 'web-1', service: 'web' }, 0);
    const silent = { packets: 1, bytes: 60, payload: 0 };
    const base = { protocol: undefined, server: silent };
    const retried = { ...tcpDirection, retransmissions: 5 };
    summary.flowEnded(flow({ ...base, tcp: { ...tcpFacts, state: 'refused', resetBy: 'server' } }));
    summary.flowEnded(flow({ ...base, tcp: { ...tcpFacts, state: 'unanswered', client: retried, syns: 6 } }));
    summary.flowEnded(flow({ ...base, tcp: { ...tcpFacts, state: 'reset', resetBy: 'server' } }));
    // None of these proves a failure: one SYN whose answer may be on its way, a client that looks, what was served.
    summary.flowEnded(flow({ ...base, tcp: { ...tcpFacts, state: 'unanswered', setup: undefined } }));
    summary.flowEnded(flow({ ...base, tcp: { ...tcpFacts, state: 'reset', resetBy: 'client' } }));
    summary.flowEnded(flow({ tcp: { ...tcpFacts, setup: 200_000, state: 'reset', resetBy: 'server' } }));
    // How many were made before the capture is not known.
    summary.flowEnded(flow({ tcp: { ...tcpFacts, midstream: true } }));
    const { services, pods, routes, callers } = report();
    const row = { protocol: 'tcp', count: 6, failed: 3, requestBytes: 6 * 300, responseBytes: 5 * 60 + 300 };
    expect(services).toEqual([expect.objectContaining({ ...row, service: 'web.shop' })]);
    expect(services[0]?.latency).toMatchObject({ count: 2, max: 200_000 });
    expect(pods).toEqual([expect.objectContaining({ ...row, pod: 'shop/web-1' })]);
    expect(callers).toEqual([expect.objectContaining({ ...row, service: 'web.shop' })]);
    expect(routes[0]?.statuses).toEqual({ refused: 1, unanswered: 1, 'reset by server': 1, connected: 2 });
  });

  it('has no rows of connections where none failed', () => {
    const { summary, flow, report } = made();
    summary.flowEnded(flow({ tcp: tcpFacts }));
    const { services, pods, callers, routes, tcp } = report();
    expect([services, pods, callers, routes]).toEqual([[], [], [], []]);
    expect(tcp.connections).toBe(1);
  });

  it('has one name for a server whose name, or Service, became known later', () => {
    const { names, summary, flow, report, hosts } = made();
    const second = flow({ serverHost: host(hosts, '10.244.1.6') });
    summary.event(exchange({ time: 10 }), flow());
    summary.flowEnded(flow({ first: 10, tcp: tcpFacts }));
    names.add(SERVER, { namespace: 'shop', pod: 'web-1' }, 20);
    summary.event(exchange({ time: 30 }), flow());
    names.add(SERVER, { namespace: 'shop', pod: 'web-1', service: 'web' }, 40);
    summary.event(exchange({ time: 50 }), flow());
    summary.event(exchange({ time: 50 }), second);
    names.addObserved('10.244.1.6', 'db.example.com', 60);
    summary.event(exchange({ time: 70 }), second);
    const { services, pods, routes, tcp } = report();
    expect(services.map(({ service, count }) => [service, count])).toEqual([
      ['web.shop', 3],
      ['db.example.com', 2],
    ]);
    expect(pods.map(({ pod, service, count }) => [pod, service, count])).toEqual([['shop/web-1', 'web.shop', 3]]);
    expect(routes).toHaveLength(2);
    expect(tcp.servers.map(({ server }) => server)).toEqual(['web.shop']);
  });

  it('has a row with 0 for a captured pod without traffic, not for those with some', () => {
    const { names, summary, flow, report } = made();
    names.addInterface(0, 'shop/client-1/any');
    names.addInterface(1, 'shop/web-1/any');
    names.addInterface(2, 'shop/web-2/any', 'node=worker-1');
    names.addInterface(3, 'node/worker-1/any');
    names.add(SERVER, { namespace: 'shop', pod: 'web-1', service: 'web' }, 0);
    summary.event(exchange(), flow());
    summary.flowEnded(flow({ tcp: tcpFacts }));
    expect(report().pods.map(({ pod, protocol, count }) => [pod, protocol, count])).toEqual([
      ['shop/web-1', 'http', 1],
      ['shop/web-2', '', 0],
    ]);
  });

  it("lists kubelet's probes last, apart from other requests of the same route", () => {
    const { summary, flow, report } = made();
    for (let count = 0; count < 9; count += 1) summary.event(exchange({ route: 'GET /healthz', probe: true }), flow());
    summary.event(exchange({ route: 'GET /healthz' }), flow());
    expect(report().routes.map(({ route, count }) => [route, count])).toEqual([
      ['GET /healthz', 1],
      ['GET /healthz (kubelet)', 9],
    ]);
  });

  it('has DNS by name and rcode, TLS by server name and version, gRPC by method and status', () => {
    const { summary, flow, report } = made();
    const dns = { protocol: 'dns', route: 'A' };
    summary.event(exchange({ ...dns, label: 'A web.shop.svc', status: 'NOERROR' }), flow());
    summary.event(exchange({ ...dns, label: 'A web.shop.svc', status: 'NXDOMAIN', failed: true }), flow());
    const tls = { protocol: 'tls', route: 'handshake', status: '' };
    summary.event(exchange({ ...tls, fields: { tls: { sni: 'api.shop', version: 'TLS 1.3' } } }), flow());
    summary.event(exchange({ ...tls, fields: { tls: { version: 'TLS 1.2' } } }), flow());
    summary.event(exchange({ ...tls, fields: {} }), flow());
    summary.event(exchange({ protocol: 'grpc', route: '/shop.Cart/Add', status: 'UNAVAILABLE', failed: true }), flow());
    const found = report();
    expect(found.dns).toHaveLength(1);
    expect(found.dns[0]).toMatchObject({
      type: 'A',
      name: 'web.shop.svc',
      rcodes: { NOERROR: 1, NXDOMAIN: 1 },
      failed: 1,
    });
    expect(found.tls.map(({ sni, version }) => [sni, version])).toEqual([
      ['api.shop', 'TLS 1.3'],
      [undefined, 'TLS 1.2'],
      [undefined, undefined],
    ]);
    expect(found.grpc[0]).toMatchObject({ service: SERVER, method: '/shop.Cart/Add', statuses: { UNAVAILABLE: 1 } });
  });

  it('counts messages and events', () => {
    const { summary, flow, report } = made();
    summary.event(message(), flow());
    summary.event(message(), flow());
    summary.event(notice(), flow());
    expect(report().messages).toEqual([{ protocol: 'websocket', count: 2, bytes: 10 }]);
    expect(report().events).toEqual([{ protocol: 'tcp', code: 'TCP_RESET', failed: true, count: 1 }]);
  });
});

describe('the number of rows is bounded, and nothing is uncounted:', () => {
  it('routes of a server', () => {
    const { summary, flow, report } = made();
    for (let n = 0; n < 1000; n += 1) summary.event(exchange({ route: `GET /${n}` }), flow());
    const { routes, services } = report();
    expect(routes).toHaveLength(ROUTES_PER_SERVER);
    expect(routes[0]).toMatchObject({ route: 'other', count: 1000 - ROUTES_PER_SERVER + 1 });
    expect(services[0]?.count).toBe(1000);
  });

  it('servers, with all they have', () => {
    const { summary, flow, report, hosts } = made();
    for (let n = 0; n < 10_000; n += 1) {
      const serverHost = host(hosts, `10.1.${n >> 8}.${n & 255}`);
      summary.event(exchange({ protocol: n % 2 === 0 ? 'http' : 'redis' }), flow({ serverHost }));
    }
    // A server known before whose every other route is new.
    for (let n = 0; n < 10; n += 1) {
      summary.event(exchange({ route: `${n}` }), flow({ serverHost: host(hosts, '10.1.0.0') }));
    }
    const { routes, services } = report();
    expect(routes.length).toBeLessThanOrEqual(ROWS_MAXIMUM + 2);
    expect(services.filter(({ service }) => service === 'other').map(({ protocol }) => protocol)).toHaveLength(2);
    expect(services.reduce((sum, { count }) => sum + count, 0)).toBe(10_010);
  });

  it('statuses and their length', () => {
    const { summary, flow, report } = made();
    for (let n = 0; n < 100; n += 1) summary.event(exchange({ status: `ERROR ${n} ${'x'.repeat(500)}` }), flow());
    const statuses = report().routes[0]?.statuses ?? {};
    expect(Object.keys(statuses)).toHaveLength(STATUSES_PER_ROW + 1);
    expect(statuses.other).toBe(100 - STATUSES_PER_ROW);
    expect(Math.max(...Object.keys(statuses).map((status) => status.length))).toBeLessThanOrEqual(80);
  });

  it('names asked of DNS', () => {
    const { summary, flow, report } = made();
    for (let n = 0; n < 5000; n += 1) {
      summary.event(exchange({ protocol: 'dns', label: `A ${n}.test`, route: 'A' }), flow());
    }
    const { dns } = report();
    expect(dns).toHaveLength(KEYS_MAXIMUM);
    expect(dns[0]).toMatchObject({ name: 'other', count: 5000 - KEYS_MAXIMUM + 1 });
  });

  it('servers of TCP', () => {
    const { summary, flow, report } = made();
    for (let n = 0; n < 5000; n += 1) summary.flowEnded(flow({ serverPort: n + 1, tcp: tcpFacts }));
    const { tcp } = report();
    expect(tcp.servers).toHaveLength(TCP_SERVERS_MAXIMUM);
    expect(tcp.servers[0]).toMatchObject({ server: 'other', port: 0, connections: 5000 - TCP_SERVERS_MAXIMUM + 1 });
    expect(tcp.connections).toBe(5000);
  });
});

describe('the health of TCP', () => {
  it('does not count a SYN as unanswered that the capture may have ended behind', () => {
    const { summary, flow, report } = made();
    summary.flowEnded(flow({ tcp: { ...tcpFacts, state: 'unanswered', syns: 1 } }));
    summary.flowEnded(flow({ tcp: { ...tcpFacts, state: 'unanswered', syns: 2 } }));
    expect(report().tcp).toMatchObject({ connections: 2, unanswered: 1 });
  });

  it('is counted over flows, by server and in all', () => {
    const { names, summary, flow, report } = made();
    names.addRecord(SERVER, ['web.shop']);
    const bad = {
      ...tcpDirection,
      retransmissions: 5,
      fastRetransmissions: 2,
      timeoutRetransmissions: 3,
      zeroWindows: 1,
    };
    summary.flowEnded(flow({ tcp: { ...tcpFacts, client: bad, midstream: true, setup: undefined } }));
    summary.flowEnded(flow({ tcp: { ...tcpFacts, state: 'reset', resetBy: 'server', setup: 400_000 } }));
    summary.flowEnded(flow({ tcp: { ...tcpFacts, state: 'reset', resetBy: 'client' }, serverPort: 81 }));
    summary.flowEnded(flow({ tcp: { ...tcpFacts, state: 'refused', resetBy: 'server' }, serverPort: 82 }));
    summary.flowEnded(flow({ tcp: { ...tcpFacts, state: 'unanswered', syns: 3 }, serverPort: 82 }));
    summary.flowEnded(flow({ transport: 'udp' }));
    const { tcp, flows } = report();
    expect(flows).toEqual({ tcp: 5, udp: 1 });
    expect(tcp).toMatchObject({
      connections: 5,
      midstream: 1,
      refused: 1,
      unanswered: 1,
      resetByClient: 1,
      resetByServer: 1,
    });
    expect(tcp).toMatchObject({ retransmissions: 5, fastRetransmissions: 2, zeroWindows: 1, bytes: 3000 });
    expect(tcp.handshake).toMatchObject({ count: 4, max: 400_000 });
    expect(tcp.servers.map(({ server, port, connections }) => [server, port, connections])).toEqual([
      ['web.shop', 80, 2],
      ['web.shop', 82, 2],
      ['web.shop', 81, 1],
    ]);
  });

  it('adds up every trouble of both directions, also of servers that have no row of their own', () => {
    const { summary, flow, report } = made();
    const names = Object.keys(tcpDirection) as (keyof typeof tcpDirection)[];
    const of = (factor: number): typeof tcpDirection => ({
      ...tcpDirection,
      ...Object.fromEntries(names.map((name, index) => [name, factor * (index + 1)])),
    });
    for (let n = 0; n < TCP_SERVERS_MAXIMUM + 1; n += 1) {
      summary.flowEnded(flow({ serverPort: n + 1, tcp: { ...tcpFacts, client: of(1), server: of(100) } }));
    }
    const { tcp } = report();
    for (const [index, name] of names.entries()) {
      expect([name, tcp[name]]).toEqual([name, 101 * (index + 1) * (TCP_SERVERS_MAXIMUM + 1)]);
      expect(tcp.servers.at(-1)?.[name]).toBe(101 * (index + 1));
    }
  });

  it('has the worst flows, worst first', () => {
    const { summary, flow, report } = made();
    for (let n = 0; n < 100; n += 1) {
      const client = { ...tcpDirection, retransmissions: (n * 37) % 100 };
      summary.flowEnded(flow({ id: n, tcp: { ...tcpFacts, client } }));
    }
    const { worst } = report().tcp;
    const troubles = worst.map(({ tcp }) => tcp?.client.retransmissions);
    expect(troubles).toEqual(Array.from({ length: WORST_FLOWS }, (_, n) => 99 - n));
    expect(worst[0]).toMatchObject({ kind: 'flow', dst: { ip: SERVER } });
    const fine = made();
    fine.summary.flowEnded(fine.flow({ tcp: tcpFacts }));
    expect(fine.report().tcp.worst).toEqual([]);
  });
});
