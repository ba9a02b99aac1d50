import { SIDE } from '../../analyze/record/event.ts';
import type { Attributes } from './attributes.ts';
import type { MetricName } from './metric-table.ts';
import { OTHER } from './series.ts';

/** Methods that OpenTelemetry's conventions for HTTP name (RFC 9110, and PATCH of RFC 5789); every other one is `_OTHER`. */
const METHODS: ReadonlySet<string> = new Set('CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT QUERY TRACE'.split(' '));

/** `db.system.name` by protocol. */
const DATABASES: Readonly<Record<string, string>> = {
  postgresql: 'postgresql',
  mysql: 'mysql',
  mongodb: 'mongodb',
  redis: 'redis',
  memcached: 'memcached',
  cql: 'cassandra',
  tds: 'microsoft.sql_server',
  tns: 'oracle.db',
};

/** `messaging.system` by protocol. */
const BROKERS: Readonly<Record<string, string>> = {
  kafka: 'kafka',
  amqp: 'rabbitmq',
  mqtt: 'mqtt',
  nats: 'nats',
  pulsar: 'pulsar',
  rocketmq: 'rocketmq',
};

/** `rpc.system.name` by protocol. */
const CALLS: Readonly<Record<string, string>> = { grpc: 'grpc', dubbo: 'dubbo', thrift: 'thrift' };

/** What names and groups an exchange: of a row or of a single one. */
export interface Named {
  readonly protocol: string;
  readonly route: string;
  /** The status' code (summary/status-code.ts). */
  readonly status: string;
  readonly failed: boolean;
  readonly probe: boolean;
}

/** Whose metrics and spans a protocol's are by the conventions: those of databases and brokers are the client's. */
export function observedSide(protocol: string): (typeof SIDE)[keyof typeof SIDE] {
  return protocol in DATABASES || protocol in BROKERS ? SIDE.client : SIDE.server;
}

/** The metric of an exchange's duration, and its attributes. */
export function durationOf(named: Named): { readonly metric: MetricName; readonly attributes: Attributes } {
  const { protocol, route, status, failed, probe } = named;
  const common = {
    'error.type': failed ? (status === '' ? OTHER : status) : undefined,
    'ksnoop.probe': probe ? true : undefined,
  };
  const { verb, rest } = verbOf(route);
  if (protocol === 'http') {
    const attributes = {
      'http.request.method': METHODS.has(verb) ? verb : '_OTHER',
      'http.route': rest === '' ? undefined : rest,
      'http.response.status_code': httpStatus(status),
      ...common,
    };
    return { metric: 'http.server.request.duration', attributes };
  }
  if (protocol in CALLS) {
    const attributes = {
      'rpc.system.name': CALLS[protocol],
      'rpc.method': route.replace(/^\//, ''),
      'rpc.response.status_code': /^[A-Z_]+$/.test(status) ? status : undefined,
      ...common,
    };
    return { metric: 'rpc.server.call.duration', attributes };
  }
  if (protocol in DATABASES) {
    const attributes = {
      'db.system.name': DATABASES[protocol],
      'db.operation.name': verb,
      'db.collection.name': rest === '' ? undefined : rest,
      ...common,
    };
    return { metric: 'db.client.operation.duration', attributes };
  }
  if (protocol in BROKERS) {
    const attributes = {
      'messaging.system': BROKERS[protocol],
      'messaging.operation.name': verb,
      'messaging.destination.name': rest === '' ? undefined : rest,
      ...common,
    };
    return { metric: 'messaging.client.operation.duration', attributes };
  }
  if (protocol === 'dns') {
    const attributes = { 'ksnoop.dns.type': route, 'ksnoop.dns.rcode': status === '' ? undefined : status, ...common };
    return { metric: 'dns.lookup.duration', attributes };
  }
  const attributes = { 'network.protocol.name': protocol, 'ksnoop.route': route, ...common };
  return { metric: 'ksnoop.exchange.duration', attributes };
}

/** The first word of a route, and what it is about: `GET` and `/cart`, `SELECT` and `stock`. */
export function verbOf(route: string): { readonly verb: string; readonly rest: string } {
  const space = route.indexOf(' ');
  return space < 0 ? { verb: route, rest: '' } : { verb: route.slice(0, space), rest: route.slice(space + 1) };
}

function httpStatus(status: string): number | undefined {
  return /^[1-9]\d\d$/.test(status) ? Number(status) : undefined;
}
