import { askTshark } from './cache.ts';
import { exceptionsOf } from './tshark-exceptions.ts';

/** Between the occurrences of a field: in no name, path or statement. */
const BETWEEN = '\x1f';

/** The kinds of trouble that tshark tells of TCP, by ksnoop's words for them. */
export const TCP_TROUBLES = {
  retransmissions: 'tcp.analysis.retransmission',
  fastRetransmissions: 'tcp.analysis.fast_retransmission',
  spuriousRetransmissions: 'tcp.analysis.spurious_retransmission',
  outOfOrder: 'tcp.analysis.out_of_order',
  duplicateAcks: 'tcp.analysis.duplicate_ack',
  zeroWindows: 'tcp.analysis.zero_window',
  keepAlives: 'tcp.analysis.keep_alive',
  windowFull: 'tcp.analysis.window_full',
} as const;

const FIELDS = [
  'frame.number',
  'frame.protocols',
  'ip.src',
  'ip.dst',
  'ipv6.src',
  'ipv6.dst',
  'tcp.srcport',
  'tcp.dstport',
  'udp.srcport',
  'udp.dstport',
  'tcp.stream',
  'tcp.analysis.retransmission',
  'tcp.analysis.fast_retransmission',
  'tcp.analysis.spurious_retransmission',
  'tcp.analysis.out_of_order',
  'tcp.analysis.duplicate_ack',
  'tcp.analysis.zero_window',
  'tcp.analysis.keep_alive',
  'tcp.analysis.window_full',
  'http.request.method',
  'http.request.uri',
  'http.response.code',
  'http2.headers.method',
  'http2.headers.path',
  'http2.headers.status',
  'http2.header.name',
  'http2.header.value',
  'websocket.opcode',
  'dns.id',
  'dns.flags.response',
  'dns.qry.name',
  'dns.qry.type',
  'dns.flags.rcode',
  'tls.handshake.type',
  'tls.handshake.extensions_server_name',
  'tls.handshake.extensions_alpn_str',
  'pgsql.query',
  'mysql.query',
  'kafka.api_key',
  'resp.array.length',
  'resp.bulk_string.value',
  'memcache.command',
  'memcache.opcode',
  'amqp.method.class',
  'amqp.method.method',
  'mongo.opcode',
  'mongo.element.name',
] as const;

export type MessageField = (typeof FIELDS)[number];

const AT: Readonly<Record<string, number>> = Object.fromEntries(FIELDS.map((field, index) => [field, index]));

/** Streams whose segments came in another order are read as ksnoop reads them, BIG TCP too; bodies stay as they were sent. */
const PREFERENCES = ['tcp.reassemble_out_of_order:TRUE', 'http.decompress_body:FALSE', 'ipv6.tso_support:TRUE'];

/** One frame's fields, each with all its occurrences, outermost first. */
export class MessageFrame {
  readonly #values: readonly string[];

  constructor(line: string) {
    this.#values = line.split('\t');
  }

  get number(): number {
    return Number(this.#values[0]);
  }

  all(field: MessageField): readonly string[] {
    const text = this.#values[AT[field] ?? -1] ?? '';
    return text === '' ? [] : text.split(BETWEEN);
  }

  /** The innermost one, empty where there is none. */
  last(field: MessageField): string {
    return this.all(field).at(-1) ?? '';
  }

  has(field: MessageField): boolean {
    return (this.#values[AT[field] ?? -1] ?? '') !== '';
  }
}

/** The bytes of one TCP stream as tshark puts them together. */
export interface FollowedStream {
  /** tcp.stream */
  readonly number: number;
  /** Of node 0, which tshark takes for the client, and of node 1. */
  readonly bytes: readonly [Buffer, Buffer];
}

export interface TrafficAnswer {
  readonly frames: readonly MessageFrame[];
  readonly streams: readonly FollowedStream[];
}

/** The line before what `follow,tcp,raw` prints, behind the frames. */
const FOLLOW = /^Follow: tcp,raw$/m;

/**
 * What tshark says of every frame, and of the first `streams` TCP streams' bytes, in one call; undefined when it cannot
 * open the file, or finds no frame in it.
 */
export async function tsharkTraffic(path: string, streams: number): Promise<TrafficAnswer | undefined> {
  const argv = ['-T', 'fields', '-E', 'occurrence=a', '-E', `aggregator=${BETWEEN}`, '-E', 'separator=/t'];
  for (const preference of PREFERENCES) argv.push('-o', preference);
  argv.push(...exceptionsOf(path));
  for (const field of FIELDS) argv.push('-e', field);
  for (let stream = 0; stream < streams; stream += 1) argv.push('-z', `follow,tcp,raw,${stream}`);
  const output = await askTshark(path, argv, ['traffic', argv]);
  if (output === '') return undefined;
  const [frames = '', ...followed] = output.split(FOLLOW);
  const lines = frames.split('\n').filter((line) => /^\d+\t/.test(line));
  return { frames: lines.map((line) => new MessageFrame(line)), streams: followed.map(followedStream) };
}

function followedStream(text: string): FollowedStream {
  const bytes: [string[], string[]] = [[], []];
  for (const line of text.slice(text.indexOf('Node 1:')).split('\n').slice(1)) {
    if (/^\t?[0-9a-f]+$/.test(line)) bytes[line.startsWith('\t') ? 1 : 0].push(line.trim());
  }
  const [first, second] = bytes.map((lines) => Buffer.from(lines.join(''), 'hex'));
  const number = Number(/^Filter: tcp\.stream eq (\d+)$/m.exec(text)?.[1]);
  return { number, bytes: [first ?? Buffer.alloc(0), second ?? Buffer.alloc(0)] };
}
