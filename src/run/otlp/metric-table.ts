/** What a metric is: counters are cumulative sums, histograms exponential ones of scale 5. */
export interface Metric {
  readonly kind: 'histogram' | 'counter' | 'gauge';
  /** UCUM: `s`, `By`, `{connection}`. */
  readonly unit: string;
  readonly about: string;
}

/** Every metric that ksnoop exports: names of OpenTelemetry's conventions where there are some, else of its own. */
export const METRICS = {
  'http.server.request.duration': {
    kind: 'histogram',
    unit: 's',
    about: 'HTTP requests: first byte of the request to last byte of the response',
  },
  'rpc.server.call.duration': {
    kind: 'histogram',
    unit: 's',
    about: 'calls of gRPC, Dubbo and Thrift: request to end of the response',
  },
  'db.client.operation.duration': {
    kind: 'histogram',
    unit: 's',
    about: 'queries and commands of databases and caches: request to end of the response',
  },
  'messaging.client.operation.duration': {
    kind: 'histogram',
    unit: 's',
    about: 'requests to message brokers: request to end of the response',
  },
  'dns.lookup.duration': { kind: 'histogram', unit: 's', about: 'DNS questions: question to answer' },
  'ksnoop.exchange.duration': {
    kind: 'histogram',
    unit: 's',
    about: 'exchanges of all other protocols, such as TLS handshakes: request to end of the response',
  },
  'ksnoop.exchanges': {
    kind: 'counter',
    unit: '{exchange}',
    about: 'exchanges by protocol, also those without a complete response, which the durations lack',
  },
  'ksnoop.exchange.io': { kind: 'counter', unit: 'By', about: 'bytes of requests and of responses' },
  'ksnoop.tcp.connections': {
    kind: 'counter',
    unit: '{connection}',
    about: 'TCP connections that ended, by what came of them: completed, refused, unanswered, reset',
  },
  'ksnoop.tcp.handshake.duration': {
    kind: 'histogram',
    unit: 's',
    about: 'setup of TCP connections: first SYN to last ACK of the handshake',
  },
  'ksnoop.tcp.retransmissions': {
    kind: 'counter',
    unit: '{segment}',
    about: 'retransmitted TCP segments of connections that ended, by what caused them',
  },
  'ksnoop.tcp.out_of_order': { kind: 'counter', unit: '{segment}', about: 'TCP segments out of order' },
  'ksnoop.tcp.zero_windows': { kind: 'counter', unit: '{segment}', about: 'TCP segments with a closed receive window' },
  'ksnoop.tcp.io': { kind: 'counter', unit: 'By', about: 'bytes of packets of TCP connections that ended' },
  'ksnoop.findings': { kind: 'gauge', unit: '{case}', about: 'cases of each finding so far' },
  'ksnoop.packets': { kind: 'counter', unit: '{packet}', about: 'packets that were analysed' },
  'ksnoop.retransmissions': {
    kind: 'counter',
    unit: '{segment}',
    about: 'retransmitted TCP segments of all connections, also of those that are open',
  },
  'ksnoop.export.dropped': {
    kind: 'counter',
    unit: '{item}',
    about: 'spans and log records that were dropped because the receiver was slow, away or refused them',
  },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

/** Units as Prometheus writes them at the end of a name (its OTLP receiver with the default strategy). */
const PROMETHEUS_UNITS: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' };

/** The name of a metric in Prometheus: `http_server_request_duration_seconds`, `ksnoop_exchanges_total`. */
export function prometheusName(name: MetricName): string {
  const { kind, unit } = METRICS[name];
  return name.replaceAll('.', '_') + (PROMETHEUS_UNITS[unit] ?? '') + (kind === 'counter' ? '_total' : '');
}
