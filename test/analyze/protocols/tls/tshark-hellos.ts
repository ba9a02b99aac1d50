import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { askTshark } from '../../../oracle/cache.ts';

/** A ClientHello or ServerHello as tshark reads it. */
export interface SeenHello {
  readonly kind: 'client' | 'server';
  /** The client's address and port, and the server's: `10.0.0.1:40000>10.0.0.2:443`. */
  readonly flow: string;
  readonly quic: boolean;
  readonly sni: string;
  readonly alpn: string;
  /** Of a ClientHello, computed from what tshark reads. */
  readonly ja4: string;
  /** Of a ServerHello, as on the wire: 0x0304. */
  readonly version: number;
  readonly cipher: number;
}

const FIELDS = [
  'ip.src',
  'ip.dst',
  'ipv6.src',
  'ipv6.dst',
  'tcp.srcport',
  'tcp.dstport',
  'udp.srcport',
  'udp.dstport',
  'tls.handshake.type',
  'tls.handshake.version',
  'tls.handshake.ciphersuite',
  'tls.handshake.extension.type',
  'tls.handshake.extensions.supported_version',
  'tls.handshake.sig_hash_alg',
  'tls.handshake.sig_hash_alg_len',
  'tls.handshake.extensions_server_name',
  'tls.handshake.extensions_alpn_str',
] as const;

/** Whether the oracle is there. */
export function hasTshark(): boolean {
  try {
    execFileSync('tshark', ['--version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

/** Every hello that tshark finds in a capture. @param ports TCP ports to be decoded as TLS besides the usual ones */
export async function tsharkHellos(path: string, ports: readonly number[] = []): Promise<SeenHello[]> {
  const as = ports.flatMap((port) => ['-d', `tcp.port==${port},tls`]);
  const shown = FIELDS.flatMap((field) => ['-e', field]);
  const filter = 'tls.handshake.type == 1 || tls.handshake.type == 2';
  const form = ['-T', 'fields', '-E', 'separator=|', '-E', 'aggregator=;'];
  const argv = [...as, '-Y', filter, ...form, ...shown];
  const output = await askTshark(path, argv, ['hellos', argv]);
  return output.split('\n').filter(Boolean).flatMap(readHello);
}

function readHello(line: string): SeenHello[] {
  const lists = line.split('|').map((field) => field.split(';').filter(Boolean));
  const at = (name: (typeof FIELDS)[number]): string[] => lists[FIELDS.indexOf(name)] ?? [];
  const inner = (...names: (typeof FIELDS)[number][]): string =>
    names.map((name) => at(name).at(-1)).find(Boolean) ?? '';
  const from = `${inner('ip.src', 'ipv6.src')}:${inner('tcp.srcport', 'udp.srcport')}`;
  const to = `${inner('ip.dst', 'ipv6.dst')}:${inner('tcp.dstport', 'udp.dstport')}`;
  const quic = at('tcp.srcport').length === 0;
  const types = at('tls.handshake.type');
  // Versions before 0x100 are SSL 2.0's.
  const versions = at('tls.handshake.version').map(Number);
  if (types.includes('1')) {
    const hello = {
      versions: at('tls.handshake.extensions.supported_version').map(Number),
      version: versions[0] ?? 0,
      ciphers: at('tls.handshake.ciphersuite').map(Number),
      extensions: at('tls.handshake.extension.type').map(Number),
      algorithms: signatureAlgorithms(
        at('tls.handshake.extension.type').map(Number),
        at('tls.handshake.sig_hash_alg_len').map(Number),
        at('tls.handshake.sig_hash_alg').map(Number),
      ),
      alpn: at('tls.handshake.extensions_alpn_str'),
    };
    const sni = at('tls.handshake.extensions_server_name')[0] ?? '';
    const seen = { quic, sni, alpn: hello.alpn.join(), ja4: ja4Of(hello, quic), version: 0, cipher: 0 };
    return [{ kind: 'client', flow: `${from}>${to}`, ...seen }];
  }
  const version = at('tls.handshake.extensions.supported_version').map(Number)[0] ?? versions[0] ?? 0;
  const cipher = at('tls.handshake.ciphersuite').map(Number)[0] ?? -1;
  const alpn = at('tls.handshake.extensions_alpn_str').join();
  return [{ kind: 'server', flow: `${to}>${from}`, quic, sni: '', alpn, ja4: '', version, cipher }];
}

/** Three extensions have such a list, signature_algorithms (13) among them. */
function signatureAlgorithms(extensions: number[], lengths: number[], all: number[]): number[] {
  const place = extensions.filter((type) => type === 13 || type === 34 || type === 50).indexOf(13);
  if (place < 0) return [];
  const before = lengths.slice(0, place).reduce((sum, length) => sum + length / 2, 0);
  return all.slice(before, before + (lengths[place] ?? 0) / 2);
}

interface HelloFields {
  readonly versions: readonly number[];
  readonly version: number;
  readonly ciphers: readonly number[];
  readonly extensions: readonly number[];
  readonly algorithms: readonly number[];
  readonly alpn: readonly string[];
}

/** JA4 written down a second time, from FoxIO's words. */
function ja4Of(hello: HelloFields, quic: boolean): string {
  const real = (list: readonly number[]) => list.filter((value) => !/^(.a)\1$/.test(hex(value)));
  const digest = (text: string) =>
    text === '' ? '0'.repeat(12) : createHash('sha256').update(text).digest('hex').slice(0, 12);
  const version = real(hello.versions).sort((a, b) => b - a)[0] ?? hello.version;
  const short = { 772: '13', 771: '12', 770: '11', 769: '10', 768: 's3', 2: 's2' }[version] ?? '00';
  const [first = ''] = hello.alpn;
  const ends = first === '' ? '00' : first.replace(/^(.).*(.)$/, '$1$2').padEnd(2, first);
  const two = (list: readonly number[]) => String(Math.min(99, real(list).length)).padStart(2, '0');
  const ciphers = real(hello.ciphers).map(hex).sort().join(',');
  const extensions = real(hello.extensions)
    .filter((type) => type !== 0 && type !== 16)
    .map(hex)
    .sort()
    .join(',');
  const algorithms = real(hello.algorithms).map(hex).join(',');
  const last = extensions === '' ? '' : algorithms === '' ? extensions : `${extensions}_${algorithms}`;
  const named = hello.extensions.includes(0) ? 'd' : 'i';
  const head = `${quic ? 'q' : 't'}${short}${named}${two(hello.ciphers)}${two(hello.extensions)}${ends}`;
  return `${head}_${digest(ciphers)}_${digest(last)}`;
}

function hex(value: number): string {
  return value.toString(16).padStart(4, '0');
}
