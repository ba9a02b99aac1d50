import type { AnalysisEvent, Fields } from '../../src/analyze/event.ts';
import type { MessageField, MessageFrame } from '../oracle/tshark-messages.ts';

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
    ksnoop: (event) =>
      ofHttp(event, false, ({ status, interim }) => [
        ...(Array.isArray(interim) ? interim.map(text) : []),
        ...present(status),
      ]),
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
    ksnoop: (event) => ofHttp(event, true, ({ status }) => present(status)),
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
      event.kind === 'exchange' && event.incomplete === 'no request'
        ? []
        : of(event, 'dns', (dns) => (dns.name === undefined ? [] : [dnsQuestion(dns)])),
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

function text(value: unknown): string {
  return value === undefined || value === null ? '' : String(value);
}

/** The words joined, or nothing when the first is missing. */
function present(first: unknown, ...more: readonly string[]): string[] {
  return text(first) === '' ? [] : [[text(first), ...more].join(' ')];
}

function overTcp(frame: MessageFrame): boolean {
  return frame.has('tcp.srcport') && !quoted(frame);
}

/** What an ICMP error quotes is no message. */
function quoted(frame: MessageFrame): boolean {
  return /:icmp(v6)?:/.test(frame.last('frame.protocols'));
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

/** Long targets are cut by both, and secrets masked by ksnoop: what is before the query is compared. */
function httpTarget(target: string): string {
  return target.replace(/[?;].*$/s, '').slice(0, 200);
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

/** kafka.apache.org/protocol: what clients use most. */
const KAFKA_APIS: Readonly<Record<string, string>> = {
  ...{ 0: 'Produce', 1: 'Fetch', 2: 'ListOffsets', 3: 'Metadata', 8: 'OffsetCommit', 9: 'OffsetFetch' },
  ...{ 10: 'FindCoordinator', 11: 'JoinGroup', 12: 'Heartbeat', 13: 'LeaveGroup', 14: 'SyncGroup' },
  ...{ 15: 'DescribeGroups', 16: 'ListGroups', 17: 'SaslHandshake', 18: 'ApiVersions', 19: 'CreateTopics' },
  ...{ 20: 'DeleteTopics', 22: 'InitProducerId', 32: 'DescribeConfigs', 36: 'SaslAuthenticate' },
};

/** Each array of a client's is a command: the first of its bulk strings names it. Without all of an array nothing is told. */
function redisCommands(frame: MessageFrame): readonly string[] {
  const lengths = frame.all('resp.array.length').map(Number);
  const values = frame.all('resp.bulk_string.value');
  const fromClient = Number(frame.last('tcp.srcport')) > Number(frame.last('tcp.dstport'));
  if (!fromClient || lengths.reduce((sum, length) => sum + length, 0) !== values.length) return [];
  let at = 0;
  return lengths.flatMap((length) => {
    const name = Buffer.from(values[at] ?? '', 'hex')
      .toString('latin1')
      .toUpperCase();
    at += length;
    return length > 0 ? [name] : [];
  });
}

const GRPC_CODES =
  'OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED'.split(
    ' ',
  );

/** The number of a code that is told by name. */
function grpcCode(status: string): string {
  const code = GRPC_CODES.indexOf(status);
  return code < 0 ? status : String(code);
}

const RCODES = 'NOERROR FORMERR SERVFAIL NXDOMAIN NOTIMP REFUSED YXDOMAIN YXRRSET NXRRSET NOTAUTH NOTZONE'.split(' ');

/** Of EDNS' codes, of which ksnoop tells the whole, what the header says: the lower four bits (RFC 6891, RFC 7873). */
const EXTENDED: Readonly<Record<string, string>> = { BADVERS: 'NOERROR', BADSIG: 'NOERROR', BADCOOKIE: 'YXRRSET' };

function basicRcode(rcode: string): string {
  return EXTENDED[rcode] ?? rcode;
}

/** RFC 1035 and its successors, the usual ones; others by number. */
const TYPES: Readonly<Record<string, string>> = {
  ...{ 1: 'A', 2: 'NS', 5: 'CNAME', 6: 'SOA', 12: 'PTR', 13: 'HINFO', 15: 'MX', 16: 'TXT', 28: 'AAAA', 33: 'SRV' },
  ...{ 11: 'WKS', 29: 'LOC', 30: 'NXT', 44: 'SSHFP', 51: 'NSEC3PARAM', 99: 'SPF', 249: 'TKEY', 250: 'TSIG' },
  ...{ 35: 'NAPTR', 43: 'DS', 46: 'RRSIG', 47: 'NSEC', 48: 'DNSKEY', 52: 'TLSA', 64: 'SVCB', 65: 'HTTPS' },
  ...{ 251: 'IXFR', 252: 'AXFR', 255: 'ANY', 257: 'CAA' },
};

/** DNS messages of a frame with one question each; those of its relatives (mDNS, LLMNR) and quoted ones left out. */
function dnsOf(frame: MessageFrame, response: readonly string[]): { question: string; rcode: string }[] {
  if (quoted(frame) || !frame.last('frame.protocols').split(':').includes('dns')) return [];
  const ids = frame.all('dns.id');
  const names = frame.all('dns.qry.name');
  const types = frame.all('dns.qry.type');
  const answers = frame.all('dns.flags.response');
  if (names.length !== ids.length || types.length !== ids.length) return [];
  const rcodes = [...frame.all('dns.flags.rcode')];
  return ids.flatMap((id, at) => {
    const isResponse = answers[at] === 'True' || answers[at] === '1';
    const rcode = isResponse ? rcodes.shift() : undefined;
    if (!response.includes(answers[at] ?? '')) return [];
    const name = names[at] === '<Root>' ? '' : (names[at] ?? '');
    const type = TYPES[types[at] ?? ''] ?? `TYPE${types[at]}`;
    return [{ question: `${Number(id)} ${dnsName(name)} ${type}`, rcode: RCODES[Number(rcode)] ?? text(rcode) }];
  });
}

function dnsQuestion(dns: Fields): string {
  const name = text(dns.name)
    .replace(/\\\d{3}/g, '?')
    .replace(/\\(.)/g, '$1');
  return `${text(dns.id)} ${dnsName(name)} ${text(dns.type)}`;
}

/** Octets that are no letters are shown by each in its own way, and case does not matter. */
function dnsName(name: string): string {
  return name === '.' ? '' : name.replace(/\\\d{3}|[^!-~]/g, '?').toLowerCase();
}

/** Handshake type 2, and no ClientHello beside it, whose list would be taken for the server's. */
function isServerHello(frame: MessageFrame): boolean {
  const types = frame.all('tls.handshake.type');
  return types.includes('2') && !types.includes('1');
}
