import { describe, expect, it } from 'vitest';
import { Summary } from '../../src/analyze/summary/summary.ts';
import { Colours } from '../../src/view/colour.ts';
import { summaryTables } from '../../src/view/summary-tables.ts';
import {
  exchange,
  host,
  madeAnalysis,
  message,
  notice,
  SERVER,
  tcpDirection,
  tcpFacts,
} from '../analyze/made-events.ts';

function made() {
  const analysis = madeAnalysis();
  const summary = new Summary(analysis.hosts, analysis.names);
  const tables = (width?: number, colour = false) =>
    summaryTables(summary.report(analysis.recorder, { first: 0, last: 30e9 }), {
      colours: new Colours(colour),
      width,
      titleOf: (protocol) => (protocol === 'websocket' ? 'WebSocket' : undefined),
    });
  return { ...analysis, summary, tables };
}

describe('the tables of a summary', () => {
  it('say what was said to whom, and how TCP fared', () => {
    const { names, summary, flow, tables } = made();
    names.add(SERVER, { namespace: 'shop', pod: 'web-1', service: 'web' }, 0);
    for (let count = 0; count < 29; count += 1) summary.event(exchange(), flow());
    summary.event(exchange({ status: '503', failed: true, responseEnd: 90e6 }), flow());
    const dns = { protocol: 'dns', label: 'A api.shop', route: 'A', status: 'NXDOMAIN' };
    summary.event(exchange(dns), flow());
    summary.event(
      exchange({ protocol: 'tls', route: 'handshake', status: '', fields: { tls: { sni: 'api.shop' } } }),
      flow(),
    );
    summary.event(exchange({ protocol: 'grpc', route: '/shop.Cart/Add', status: 'OK' }), flow());
    summary.event(message(), flow());
    summary.event(notice(), flow());
    const client = { ...tcpDirection, retransmissions: 2, fastRetransmissions: 2 };
    summary.flowEnded(flow({ tcp: { ...tcpFacts, client } }));
    expect(tables().map((line) => line.replace(/^\d\d:\d\d:\d\d\.\d{6}/, 'CLOCK'))).toMatchInlineSnapshot(`
      [
        "2026-07-02T14:03:07.123456789Z, 30.0 s: 33 exchanges, 1 failed, 1 tcp flow",
        "",
        "Services",
        "SERVICE   PROTOCOL  COUNT     RATE     FAILED     P50     P90     P99     MAX  TTFB P99  SERVER P99     SENT  RECEIVED",
        "web.shop  HTTP         30      1/s  1 (3.3 %)  1.2 ms  1.2 ms   89 ms   90 ms    1.0 ms      999 µs  2.40 kB   15.4 kB",
        "web.shop  DNS           1  0.033/s          0  1.2 ms  1.2 ms  1.2 ms  1.2 ms                           80 B     512 B",
        "web.shop  GRPC          1  0.033/s          0  1.2 ms  1.2 ms  1.2 ms  1.2 ms                           80 B     512 B",
        "web.shop  TLS           1  0.033/s          0  1.2 ms  1.2 ms  1.2 ms  1.2 ms                           80 B     512 B",
        "",
        "Pods",
        "POD         SERVICE   PROTOCOL  COUNT     RATE     FAILED     P50     P90     P99     MAX  TTFB P99  SERVER P99     SENT  RECEIVED",
        "shop/web-1  web.shop  HTTP         30      1/s  1 (3.3 %)  1.2 ms  1.2 ms   89 ms   90 ms    1.0 ms      999 µs  2.40 kB   15.4 kB",
        "shop/web-1  web.shop  DNS           1  0.033/s          0  1.2 ms  1.2 ms  1.2 ms  1.2 ms                           80 B     512 B",
        "shop/web-1  web.shop  GRPC          1  0.033/s          0  1.2 ms  1.2 ms  1.2 ms  1.2 ms                           80 B     512 B",
        "shop/web-1  web.shop  TLS           1  0.033/s          0  1.2 ms  1.2 ms  1.2 ms  1.2 ms                           80 B     512 B",
        "",
        "Callers",
        "CLIENT      SERVICE   PROTOCOL  COUNT     RATE     FAILED     P50     P90     P99     MAX     SENT  RECEIVED",
        "10.244.1.9  web.shop  HTTP         30      1/s  1 (3.3 %)  1.2 ms  1.2 ms   89 ms   90 ms  2.40 kB   15.4 kB",
        "10.244.1.9  web.shop  DNS           1  0.033/s          0  1.2 ms  1.2 ms  1.2 ms  1.2 ms     80 B     512 B",
        "10.244.1.9  web.shop  GRPC          1  0.033/s          0  1.2 ms  1.2 ms  1.2 ms  1.2 ms     80 B     512 B",
        "10.244.1.9  web.shop  TLS           1  0.033/s          0  1.2 ms  1.2 ms  1.2 ms  1.2 ms     80 B     512 B",
        "",
        "Routes",
        "SERVICE   PROTOCOL  ROUTE      STATUS           COUNT  RATE     FAILED     P50     P90    P99    MAX  TTFB P99  SERVER P99     SENT  RECEIVED",
        "web.shop  HTTP      GET /cart  200: 29, 503: 1     30   1/s  1 (3.3 %)  1.2 ms  1.2 ms  89 ms  90 ms    1.0 ms      999 µs  2.40 kB   15.4 kB",
        "",
        "gRPC by method and status",
        "SERVICE   METHOD          STATUS  COUNT     RATE  FAILED     P50     P90     P99     MAX  SENT  RECEIVED",
        "web.shop  /shop.Cart/Add  OK: 1       1  0.033/s       0  1.2 ms  1.2 ms  1.2 ms  1.2 ms  80 B     512 B",
        "",
        "DNS by name and rcode",
        "NAME      TYPE  RCODE        COUNT     RATE  FAILED     P50     P90     P99     MAX  SENT  RECEIVED",
        "api.shop  A     NXDOMAIN: 1      1  0.033/s       0  1.2 ms  1.2 ms  1.2 ms  1.2 ms  80 B     512 B",
        "",
        "TLS by server name",
        "SNI       VERSION  COUNT     RATE  FAILED     P50     P90     P99     MAX  SENT  RECEIVED",
        "api.shop  -            1  0.033/s       0  1.2 ms  1.2 ms  1.2 ms  1.2 ms  80 B     512 B",
        "",
        "Messages",
        "PROTOCOL   COUNT  BYTES",
        "WebSocket      1    5 B",
        "",
        "Events",
        "PROTOCOL  CODE       COUNT",
        "TCP       TCP_RESET      1",
        "",
        "TCP",
        "SERVER    PORT  CONNS  REFUSED  NO ANSWER  RST CLIENT  RST SERVER  RETRANS  ZEROWIN  SETUP P50  SETUP P99  BYTES",
        "web.shop    80      1        0          0           0           0        2        0     199 µs     199 µs  600 B",
        "1 connection, 0 started before the capture, 0 refused, 0 unanswered, 0 reset by clients, 0 by servers, setup p50 199 µs, p90 199 µs, p99 199 µs",
        "2 segments retransmitted (2 fast, 0 after timeout, 0 spurious), 0 out of order, 0 duplicate ACKs, 0 keep-alives, 0 zero windows, 0 full windows",
        "",
        "TCP connections with the most trouble",
        "CLOCK 10.244.1.9:41234 > shop/web-1 (10.244.1.5:80) HTTP 5.0 ms sent 3 packets, 300 B received 3 packets, 300 B closed by client setup 200 µs rtt to server 150 µs client: retransmitted 2 (2 fast) flow 0",
      ]
    `);
  });

  it('say of how many exchanges the latencies are, where these are few', () => {
    const { summary, flow, tables } = made();
    for (let index = 0; index < 5; index += 1)
      summary.event(exchange(index === 0 ? {} : { incomplete: 'unknown' }), flow());
    const text = tables().map((line) => line.replace(/ +/g, ' '));
    expect(text).toContain('SERVICE PROTOCOL COUNT RATE FAILED TIMED P50 P90 P99 MAX SENT RECEIVED');
    const row = text.find((line) => / HTTP 5 /.test(line));
    expect(row).toMatch(/ HTTP 5 \S+ 0 1 \d/);
  });

  it('count connections that failed before any exchange apart, and say why TLS handshakes failed', () => {
    const { names, summary, flow, tables } = made();
    names.addRecord(SERVER, ['api.shop']);
    const silent = { packets: 1, bytes: 60, payload: 0 };
    const refused = { ...tcpFacts, state: 'refused', resetBy: 'server' } as const;
    summary.flowEnded(flow({ protocol: undefined, server: silent, tcp: refused }));
    const tls = { sni: 'api.shop', version: 'TLS1.3' };
    summary.event(exchange({ protocol: 'tls', route: 'handshake', status: 'TLS1.3', fields: { tls } }), flow());
    const failed = { status: 'unknown_ca', failed: true };
    summary.event(exchange({ protocol: 'tls', route: 'handshake', ...failed, fields: { tls } }), flow());
    const text = tables().map((line) => line.replace(/ +/g, ' '));
    expect(text[0]).toContain('2 exchanges, 1 failed, 1 of 1 connection failed, 1 tcp flow');
    expect(text.find((line) => line.startsWith('api.shop TCP connect'))).toContain(' refused: 1 1 0.033/s 1 (100 %)');
    expect(text.find((line) => line.startsWith('api.shop TLS1.3'))).toContain(' unknown_ca: 1 2 ');
  });

  it('have columns of the times without sending where they differ much', () => {
    const { summary, flow, tables } = made();
    summary.event(exchange(), flow());
    expect(tables().join('\n')).not.toContain('TTFB');
    summary.event(
      exchange({ route: 'POST /upload', requestEnd: 800_000_000, responseTime: 850e6, responseEnd: 3e9 }),
      flow(),
    );
    const text = tables().join('\n');
    expect(text).toContain('TTFB P99  SERVER P99');
    expect(text).toMatch(/POST \/upload .* 850 ms +50 ms /);
    expect(tables(80).join('\n')).not.toContain('TTFB');
  });

  it('at 80 columns tell rows apart by their names, numbers give way', () => {
    const { names, summary, flow, hosts, tables } = made();
    for (const [index, suffix] of ['abcde', 'fghij', 'klmno'].entries()) {
      const address = `10.244.1.${20 + index}`;
      names.add(address, { namespace: 'shop', pod: `api-5f6d8c9b7d-${suffix}`, service: 'api' }, 0);
      summary.event(exchange(), flow({ serverHost: host(hosts, address) }));
      summary.flowEnded(flow({ serverHost: host(hosts, address), tcp: tcpFacts }));
    }
    const text = tables(80);
    const pods = text.filter((line) => line.startsWith('shop/api-'));
    expect(new Set(pods.map((line) => line.split(' ')[0])).size).toBe(3);
    expect(text.filter((line) => line.length > 80)).toEqual([]);
  });

  it('of nothing are a sentence', () => {
    const { summary, recorder } = madeAnalysisWithSummary();
    const style = { colours: new Colours(false), width: 80, titleOf: () => undefined };
    expect(summaryTables(summary.report(recorder, undefined), style)).toEqual(['No packets.']);
  });

  it('show the most frequent rows, and say how many there are more', () => {
    const { summary, flow, tables } = made();
    for (let n = 0; n < 40; n += 1) summary.event(exchange({ route: `GET /${n}` }), flow());
    expect(tables()).toContain('and 15 rows more (all with --json)');
  });

  it('fit the terminal, and let nothing reach it that it might obey', () => {
    const { names, summary, flow, tables } = made();
    names.addRecord(SERVER, [`evil\x1b[2J${'n'.repeat(300)}`]);
    const bad = `\x9b\u202e${'r'.repeat(300)}`;
    summary.event(exchange({ route: bad, status: bad, failed: true }), flow());
    summary.event(exchange({ protocol: 'dns', label: bad, status: bad }), flow());
    summary.event(exchange({ protocol: 'tls', fields: { tls: { sni: bad, version: '\x07' } } }), flow());
    summary.event(notice({ code: '\x07' }), flow());
    summary.flowEnded(flow({ tcp: tcpFacts }));
    const text = tables(140);
    expect(text.filter((line) => /\p{Cc}|\p{Cf}/u.test(line))).toEqual([]);
    expect(text.filter((line) => line.length > 140)).toEqual([]);
    expect(tables(140, true).join('\n')).toContain('\x1b[31m1 (100 %)\x1b[39m');
  });

  it.each([
    [1, '0.033/s'],
    [3000, '100/s'],
    [300_000, '10,000/s'],
  ])('%d exchanges in 30 s are %s', (count, rate) => {
    const { summary, flow, tables } = made();
    for (let n = 0; n < count; n += 1) summary.event(exchange(), flow());
    expect(tables().join('\n')).toContain(` ${rate} `);
  });
});

function madeAnalysisWithSummary() {
  const analysis = madeAnalysis();
  return { ...analysis, summary: new Summary(analysis.hosts, analysis.names) };
}
