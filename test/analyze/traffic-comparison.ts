import { TcpStream } from '../../src/analyze/tcp/stream.ts';
import { type TsharkFrame, tsharkFrames, tsharkStreams } from '../oracle/tshark.ts';
import { type Analysed, analyseFile } from '../support/analysis.ts';

/** Where ksnoop and tshark say different things of a file. */
interface StreamDifference {
  readonly file: string;
  readonly what: string;
  readonly tshark: string;
  readonly ksnoop: string;
}

export interface StreamComparison {
  readonly file: string;
  /** By what was compared: how many things agreed. */
  readonly agreements: ReadonlyMap<string, number>;
  readonly differences: readonly StreamDifference[];
}

/** Streams of one file that are followed octet by octet. */
const FOLLOWED = 40;

const ANALYSIS = {
  retransmissions: 'tcp.analysis.retransmission',
  outOfOrder: 'tcp.analysis.out_of_order',
  duplicateAcks: 'tcp.analysis.duplicate_ack',
  zeroWindows: 'tcp.analysis.zero_window',
  keepAlives: 'tcp.analysis.keep_alive',
  windowFull: 'tcp.analysis.window_full',
} as const;

const FIELDS = [
  'tcp.stream',
  ...Object.values(ANALYSIS),
  'http.request.method',
  'http.request.uri',
  'http.response.code',
  'udp.srcport',
] as const;

/** Hold a file's connections and HTTP against tshark; undefined when tshark does not open it. */
export async function compareTraffic(folder: string, path: string): Promise<StreamComparison | undefined> {
  const file = path.slice(folder.length + 1);
  const frames = await tsharkFrames(path, { fields: FIELDS });
  if (frames === undefined) return undefined;
  const watched = await watchingOctets(() => analyseFile(path));
  const agreements = new Map<string, number>();
  const differences: StreamDifference[] = [];
  const compare = (what: string, tshark: string, ksnoop: string, amount: number) => {
    const kind = what.replace(/^stream \d+$/, 'streams octet by octet');
    if (tshark === ksnoop) agreements.set(kind, (agreements.get(kind) ?? 0) + amount);
    else differences.push({ file, what, tshark, ksnoop });
  };
  const streams = new Set(frames.map((frame) => frame['tcp.stream']).filter(Boolean)).size;
  const tcp = watched.analysed.flows.filter((flow) => flow.tcp !== undefined);
  compare('TCP streams', String(streams), String(tcp.length), streams);
  for (const [name, field] of Object.entries(ANALYSIS)) {
    const theirs = frames.filter((frame) => frame[field] !== '').length;
    const key = name as keyof typeof ANALYSIS;
    const ours = tcp.reduce((sum, flow) => sum + (flow.tcp?.client[key] ?? 0) + (flow.tcp?.server[key] ?? 0), 0);
    compare(name, String(theirs), String(ours), theirs);
  }
  compareHttp(frames, watched.analysed, compare);
  if (streams > 0 && streams === tcp.length) await compareOctets(path, watched, compare);
  return { file, agreements, differences };
}

type Compare = (what: string, tshark: string, ksnoop: string, amount: number) => void;

function compareHttp(frames: readonly TsharkFrame[], { events }: Analysed, compare: Compare): void {
  // SSDP is HTTP on UDP: not a stream.
  const overTcp = frames.filter((frame) => frame['udp.srcport'] === '');
  const requests = overTcp.filter((frame) => frame['http.request.method'] !== '');
  const theirs = requests.map((frame) => `${frame['http.request.method']} ${frame['http.request.uri']}`);
  const exchanges = events.flatMap(({ event }) =>
    event.kind === 'exchange' && event.protocol === 'http' && event.fields.grpc === undefined ? [event] : [],
  );
  const http1 = exchanges.map(({ fields }) => fields.http as Record<string, unknown>).filter(isHttp1);
  const ours = http1.flatMap(({ method, path }) => (method === undefined ? [] : [`${method} ${path}`]));
  compare('HTTP requests', sorted(theirs.map(cut)), sorted(ours.map(cut)), theirs.length);
  const codes = overTcp.map((frame) => frame['http.response.code'] ?? '').filter((code) => code !== '');
  const statuses = http1.flatMap(({ status, interim }) => [
    ...(Array.isArray(interim) ? interim.map(String) : []),
    ...(status === undefined ? [] : [String(status)]),
  ]);
  compare('HTTP statuses', sorted(codes), sorted(statuses), codes.length);
}

function isHttp1(http: Record<string, unknown>): boolean {
  return http.version === undefined || String(http.version).startsWith('1') || http.version === '0.9';
}

/** Long targets are cut by both, and secrets masked by ksnoop: what is before the query is compared. */
function cut(request: string): string {
  return request.replace(/[?;].*$/s, '').slice(0, 200);
}

function sorted(values: readonly string[]): string {
  return [...values].sort().join('\n');
}

interface Watched {
  readonly analysed: Analysed;
  /** By flow: each direction's octets, and whether some are missing. */
  readonly streams: ReadonlyMap<number, { readonly octets: readonly [Buffer[], Buffer[]]; gap: boolean }>;
}

/** Analyse while the octets are kept that every stream is handed in order. */
async function watchingOctets(analyse: () => Promise<Analysed>): Promise<Watched> {
  const streams = new Map<number, { octets: [Buffer[], Buffer[]]; gap: boolean }>();
  const of = ({ flow }: TcpStream) => {
    const stream = streams.get(flow) ?? { octets: [[], []], gap: false };
    streams.set(flow, stream);
    return stream;
  };
  let inside = false;
  const { data, gap } = TcpStream.prototype;
  TcpStream.prototype.data = function (this: TcpStream, direction, bytes, start, end) {
    // A stream that has found its protocol hands itself the octets that showed it once more.
    if (!inside) of(this).octets[direction === 0 ? 0 : 1].push(Buffer.from(bytes.subarray(start, end)));
    const before = inside;
    inside = true;
    data.call(this, direction, bytes, start, end);
    inside = before;
  };
  TcpStream.prototype.gap = function (this: TcpStream, direction, length) {
    of(this).gap = true;
    gap.call(this, direction, length);
  };
  try {
    return { analysed: await analyse(), streams };
  } finally {
    Object.assign(TcpStream.prototype, { data, gap });
  }
}

/** Every stream without a gap, octet by octet. */
async function compareOctets(path: string, { analysed, streams }: Watched, compare: Compare): Promise<void> {
  const tcp = analysed.flows.filter((flow) => flow.tcp !== undefined).slice(0, FOLLOWED);
  const theirs = await tsharkStreams(path, tcp.length);
  const byNumber = new Map(theirs.map((stream) => [stream.number, stream]));
  for (const [number, flow] of tcp.entries()) {
    const followed = byNumber.get(number);
    const own = streams.get(flow.id);
    if (followed === undefined || own?.gap === true) continue;
    const ours = (own?.octets ?? [[], []]).map((portions) => Buffer.concat(portions).toString('hex')).sort();
    const expected = followed.octets.map((octets) => octets.toString('hex')).sort();
    if (expected.some((hex) => hex.includes(MISSING))) continue;
    compare(`stream ${number}`, expected.join('\n'), ours.join('\n'), 1);
  }
}

/** `bytes missing in capture file` */
const MISSING = Buffer.from('bytes missing in capture file').toString('hex');
