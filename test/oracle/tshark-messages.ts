import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tsharkVersion } from './tshark.ts';

const run = promisify(execFile);

/** As in tshark.ts: what tshark said, kept by the file's hash, the question and its version. */
const CACHE = join(homedir(), '.cache/ksnoop/oracle');
const OUTPUT_BYTES = 1024 * 1024 * 1024;
const TIMEOUT_MS = 300_000;

/** Between the occurrences of a field: in no name, path or statement. */
const BETWEEN = '\x1f';

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
  'http.request.method',
  'http.request.uri',
  'http.response.code',
  'http2.headers.method',
  'http2.headers.path',
  'http2.headers.status',
  'http2.header.name',
  'http2.header.value',
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
] as const;

export type MessageField = (typeof FIELDS)[number];

/** Streams whose segments came in another order are read as ksnoop reads them; bodies stay as they were sent. */
const PREFERENCES = ['tcp.reassemble_out_of_order:TRUE', 'http.decompress_body:FALSE'];

/** One frame's fields, each with all its occurrences, outermost first. */
export class MessageFrame {
  readonly #values: readonly string[];

  constructor(line: string) {
    this.#values = line.split('\t');
  }

  all(field: MessageField): readonly string[] {
    const text = this.#values[FIELDS.indexOf(field)] ?? '';
    return text === '' ? [] : text.split(BETWEEN);
  }

  /** The innermost one, empty where there is none. */
  last(field: MessageField): string {
    return this.all(field).at(-1) ?? '';
  }

  has(field: MessageField): boolean {
    return (this.#values[FIELDS.indexOf(field)] ?? '') !== '';
  }
}

/** What tshark says of every frame; undefined when it cannot open the file, or finds no frame in it. */
export async function messageFrames(path: string): Promise<MessageFrame[] | undefined> {
  const argv = ['-n', '-r', path, '-T', 'fields', '-E', 'occurrence=a', '-E', `aggregator=${BETWEEN}`];
  argv.push('-E', 'separator=/t');
  for (const preference of PREFERENCES) argv.push('-o', preference);
  for (const field of FIELDS) argv.push('-e', field);
  const output = await answer(path, argv);
  if (output === '') return undefined;
  return output
    .split('\n')
    .slice(0, -1)
    .map((line) => new MessageFrame(line));
}

/** tshark's output for a file, from the cache where it was asked before. */
async function answer(path: string, argv: readonly string[]): Promise<string> {
  const question = argv.filter((word) => word !== path);
  const key = createHash('sha256')
    .update(JSON.stringify([await tsharkVersion(), 'messages', question]))
    .update(await readFile(path))
    .digest('hex');
  const cached = join(CACHE, `${key}.txt`);
  return readFile(cached, 'utf8').catch(() => ask(cached, argv));
}

async function ask(cached: string, argv: readonly string[]): Promise<string> {
  // tshark exits with an error also for a file cut in its last frame; what it printed before holds all the same.
  const output = await run('tshark', argv, { maxBuffer: OUTPUT_BYTES, timeout: TIMEOUT_MS }).then(
    ({ stdout }) => stdout,
    (failure: unknown) => {
      if (failure instanceof Error && 'stdout' in failure && 'code' in failure && typeof failure.code === 'number') {
        return String(failure.stdout);
      }
      throw failure;
    },
  );
  await mkdir(CACHE, { recursive: true });
  const part = `${cached}.${process.pid}.part`;
  await writeFile(part, output);
  await rename(part, cached);
  return output;
}
