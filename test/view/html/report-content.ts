import type { CallerStats, ExchangeStats, TcpStats } from '../../../src/analyze/summary/report.ts';
import type { HopRecord, TraceRecord } from '../../../src/analyze/trace/record.ts';
import type { ReportContent } from '../../../src/view/html/page.ts';
import { exchange, madeAnalysis, tcpDirection } from '../../analyze/made-events.ts';

const latency = { count: 30, p50: 1e6, p90: 2e6, p99: 13e6, max: 20e6, mean: 2e6 };
export const stats: ExchangeStats = {
  count: 30,
  rate: 5,
  failed: 3,
  incomplete: 0,
  requestBytes: 900,
  responseBytes: 2e6,
  latency,
  ttfb: undefined,
  serverTime: undefined,
};
const tcpStats: TcpStats = {
  ...tcpDirection,
  connections: 12,
  midstream: 0,
  refused: 2,
  unanswered: 0,
  resetByClient: 0,
  resetByServer: 0,
  bytes: 5000,
  handshake: latency,
};

export function caller(client: string, service: string, parts: Partial<CallerStats> = {}): CallerStats {
  const { count, rate, failed, requestBytes, responseBytes } = stats;
  return { client, service, protocol: 'http', count, rate, failed, requestBytes, responseBytes, latency, ...parts };
}

function hop(parts: Partial<HopRecord>): HopRecord {
  return {
    kind: 'network',
    from: 'shop/client',
    to: 'shop/web-1',
    service: 'web.shop',
    label: 'GET /cart',
    depth: 0,
    latency: 1e6,
    lost: [],
    confidence: 'proven',
    calls: undefined,
    oneWay: undefined,
    flow: 7,
    ...parts,
  };
}

export function traceRecord(parts: Partial<TraceRecord> = {}): TraceRecord {
  const { recorder, flow } = madeAnalysis();
  const hops = [hop({}), hop({ kind: 'server', from: 'shop/web-1', to: undefined, latency: 9e6 })];
  const event = recorder.event(exchange(), flow({ id: 7 }));
  return { ...event, kind: 'trace', total: 10e6, hops, slowest: 1, ambiguous: undefined, connect: undefined, ...parts };
}

/** A report with something in every section. */
export function reportContent(parts: Partial<ReportContent> = {}): ReportContent {
  return {
    summary: {
      v: 1,
      kind: 'summary',
      time: '2026-07-02T14:03:07.123456789Z',
      duration: 6e9,
      flows: { tcp: 12 },
      services: [{ service: 'web.shop', protocol: 'http', ...stats }],
      pods: [{ pod: 'shop/web-1', service: 'web.shop', protocol: 'http', ...stats }],
      callers: [caller('shop/client', 'web.shop'), caller('web.shop', 'api.shop', { failed: 0 })],
      routes: [{ service: 'web.shop', protocol: 'http', route: 'GET /cart', ...stats, statuses: { 200: 27, 503: 3 } }],
      dns: [{ name: 'web.shop.svc', type: 'A', ...stats, rcodes: { NXDOMAIN: 30 } }],
      tls: [{ sni: 'web', version: 'TLS1.3', ...stats, statuses: { unknown_ca: 3 } }],
      grpc: [{ service: 'web.shop', method: '/shop.Cart/Add', ...stats, statuses: { OK: 30 } }],
      messages: [],
      events: [],
      tcp: { ...tcpStats, servers: [{ server: 'web.shop', port: 80, ...tcpStats }], worst: [] },
    },
    findings: [
      {
        code: 'GATEWAY_ERROR',
        severity: 'error',
        confidence: 'likely',
        subject: 'web.shop',
        message: 'web.shop answers with 503.',
        evidence: [{ text: 'GET /cart 503', flows: [3, 7], times: [0, 5e9], where: 'http.status == 503' }],
        next: 'ksnoop trace svc/web',
        otherwise: 'it is no gateway',
        cases: 3,
        attempts: 30,
      },
    ],
    timeline: {
      length: 1e9,
      periods: [
        { count: 20, failed: 3, bytes: 4000, retransmissions: 4, p50: 1e6, p99: 13e6 },
        { count: 0, failed: 0, bytes: 0, retransmissions: 0, p50: undefined, p99: undefined },
        { count: 10, failed: 0, bytes: 1000, retransmissions: 0, p50: 2e6, p99: 2e6 },
      ],
    },
    slowest: [traceRecord()],
    failed: [traceRecord({ failed: true, status: '503', total: undefined })],
    failures: 3,
    packets: 120,
    bytes: 5000,
    interfaces: ['shop/web-1/any'],
    notes: ['2 gaps in TCP streams'],
    command: 'ksnoop read a.pcapng -o html',
    version: '0.1.0',
    ...parts,
  };
}

export const STYLE_UTC = {
  utc: true,
  timeText: (time: number) => new Date(Date.UTC(2026, 6, 2) + time / 1e6).toISOString().replace('Z', '000000Z'),
  titleOf: (protocol: string) => protocol.toUpperCase(),
};
