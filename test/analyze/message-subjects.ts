import type { AnalysisEvent, Fields } from '../../src/analyze/record/event.ts';
import { maskTarget } from '../../src/analyze/record/secrets.ts';
import type { MessageField, MessageFrame } from '../oracle/tshark-traffic.ts';
import { basicRcode, dnsOf, dnsQuestion } from './dns-words.ts';
import {
  amqpMethods,
  grpcCode,
  isServerHello,
  KAFKA_APIS,
  overTcp,
  redisCommands,
  text,
  toServer,
  WEBSOCKET,
} from './message-words.ts';

/** One thing that both tell of messages, in words that are the same when they agree. */
interface Subject {
  readonly name: string;
  /** How often something was said counts; without, only what was said, since who counts repetitions differs. */
  readonly counted: boolean;
  tshark(frame: MessageFrame): readonly string[];
  ksnoop(event: AnalysisEvent): readonly string[];
}

/** What is compared: a new protocol is a row here. */
export const SUBJECTS: readonly Subject[] = [
  {
    name: 'HTTP requests',
    counted: true,
    tshark: (frame) => (overTcp(frame) ? both(frame, 'http.request.method', 'http.request.uri', httpTarget) : []),
    ksnoop: (event) => ofHttp(event, false, ({ method, path }) => present(method, httpTarget(text(path)))),
  },
  {
    name: 'HTTP statuses',
    counted: true,
    tshark: (frame) => (overTcp(frame) ? frame.all('http.response.code') : []),
    ksnoop: (event) => ofHttp(event, false, httpStatuses),
  },
  {
    name: 'HTTP/2 requests',
    counted: true,
    tshark: (frame) => both(frame, 'http2.headers.method', 'http2.headers.path', httpTarget),
    ksnoop: (event) => ofHttp(event, true, ({ method, path }) => present(method, httpTarget(text(path)))),
  },
  {
    name: 'HTTP/2 statuses',
    counted: true,
    tshark: (frame) => frame.all('http2.headers.status'),
    ksnoop: (event) => ofHttp(event, true, httpStatuses),
  },
  {
    name: 'gRPC statuses',
    counted: true,
    tshark: (frame) => {
      const values = frame.all('http2.header.value');
      return frame.all('http2.header.name').flatMap((name, at) => (name === 'grpc-status' ? [values[at] ?? ''] : []));
    },
    ksnoop: (event) => of(event, 'grpc', ({ status }) => present(grpcCode(text(status)))),
  },
  {
    name: 'DNS questions',
    counted: false,
    tshark: (frame) => dnsOf(frame, ['False', '0']).map(({ question }) => question),
    ksnoop: (event) =>
      event.kind === 'exchange' && event.incomplete === 'request not seen'
        ? []
        : of(event, 'dns', (dns) => {
            // What was asked of many is answered in a message of its own.
            const isAnswer = event.kind === 'message' && dns.rcode !== undefined;
            return dns.name === undefined || isAnswer ? [] : [dnsQuestion(dns)];
          }),
  },
  {
    name: 'DNS answers',
    counted: false,
    tshark: (frame) => dnsOf(frame, ['True', '1']).map(({ question, rcode }) => `${question} ${rcode}`),
    ksnoop: (event) =>
      of(event, 'dns', (dns) =>
        dns.name === undefined || dns.rcode === undefined ? [] : [`${dnsQuestion(dns)} ${basicRcode(text(dns.rcode))}`],
      ),
  },
  {
    name: 'TLS server names',
    counted: false,
    tshark: (frame) => frame.all('tls.handshake.extensions_server_name'),
    ksnoop: (event) => of(event, 'tls', ({ sni }) => present(sni)),
  },
  {
    name: 'TLS application protocols agreed on',
    counted: false,
    tshark: (frame) => (isServerHello(frame) ? frame.all('tls.handshake.extensions_alpn_str') : []),
    // Where the agreement is encrypted ksnoop tells what was offered.
    ksnoop: (event) => of(event, 'tls', ({ alpn, version }) => (version === 'TLS1.3' ? [] : present(alpn))),
  },
  {
    name: 'Kafka requests',
    counted: false,
    tshark: (frame) => frame.all('kafka.api_key').map((key) => KAFKA_APIS[key] ?? key),
    ksnoop: (event) => of(event, 'kafka', ({ api }) => present(api)),
  },
  {
    name: 'Redis commands',
    counted: true,
    tshark: redisCommands,
    ksnoop: (event) =>
      event.kind === 'exchange' ? of(event, 'redis', ({ command }) => present(text(command).split(' ')[0])) : [],
  },
  {
    name: 'memcached commands',
    counted: true,
    tshark: (frame) => (toServer(frame) ? frame.all('memcache.command') : []),
    ksnoop: (event) => of(event, 'memcached', ({ command }) => present(command)),
  },
  {
    name: 'AMQP methods',
    counted: false,
    tshark: amqpMethods,
    ksnoop: (event) => of(event, 'amqp', ({ method }) => present(method)),
  },
  {
    name: 'MongoDB commands',
    counted: false,
    // Its first element names a command; a wire message of an older form has no such thing.
    tshark: (frame) =>
      toServer(frame) && frame.all('mongo.opcode').some((opcode) => opcode === '2013' || opcode === '2004')
        ? frame.all('mongo.element.name').slice(0, 1)
        : [],
    ksnoop: (event) => of(event, 'mongodb', ({ command }) => present(command)),
  },
  {
    name: 'WebSocket messages',
    counted: true,
    tshark: (frame) => frame.all('websocket.opcode').flatMap((opcode) => WEBSOCKET[opcode] ?? []),
    ksnoop: (event) => of(event, 'websocket', ({ opcode }) => present(opcode)),
  },
  {
    name: 'PostgreSQL statements',
    counted: false,
    tshark: (frame) => frame.all('pgsql.query').map(statement),
    ksnoop: (event) =>
      event.protocol === 'postgresql' ? of(event, 'sql', (sql) => present(statement(text(sql.statement)))) : [],
  },
  {
    name: 'MySQL statements',
    counted: false,
    tshark: (frame) => frame.all('mysql.query').map(statement),
    ksnoop: (event) =>
      event.protocol === 'mysql' ? of(event, 'sql', (sql) => present(statement(text(sql.statement)))) : [],
  },
];

/** The words joined, or nothing when the first is missing. */
function present(first: unknown, ...more: readonly string[]): string[] {
  return text(first) === '' ? [] : [[text(first), ...more].join(' ')];
}

function both(
  frame: MessageFrame,
  one: MessageField,
  other: MessageField,
  change: (value: string) => string,
): string[] {
  const others = frame.all(other);
  return frame.all(one).map((value, at) => `${value} ${change(others[at] ?? '')}`);
}

/** The interim ones, then the last. */
function httpStatuses({ status, interim }: Fields): readonly string[] {
  return [...(Array.isArray(interim) ? interim.map(text) : []), ...present(status)];
}

/** Long targets are cut by both, and secrets masked by ksnoop: what is before the query is compared, with what looks like one masked in both. */
function httpTarget(target: string): string {
  return maskTarget(target)
    .replace(/[?;].*$/s, '')
    .slice(0, 200);
}

/** tshark escapes line ends, ksnoop folds them. */
function statement(sql: string): string {
  return sql
    .replace(/(?:\\[nrt]|\s)+/g, ' ')
    .trim()
    .slice(0, 100);
}

function of(event: AnalysisEvent, key: string, words: (fields: Fields) => readonly string[]): readonly string[] {
  const fields = event.fields[key];
  return typeof fields === 'object' && fields !== null && !Array.isArray(fields) ? words(fields as Fields) : [];
}

function ofHttp(
  event: AnalysisEvent,
  second: boolean,
  words: (fields: Fields) => readonly string[],
): readonly string[] {
  if (event.kind !== 'exchange') return [];
  return of(event, 'http', (http) => (text(http.version).startsWith('2') === second ? words(http) : []));
}
