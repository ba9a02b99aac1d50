import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A start of tshark costs 0.2 s, so what it said of a file is kept by the file's hash, the question and its version. */
const CACHE = join(homedir(), '.cache/ksnoop/oracle');

/** Its answers to one file, at most. */
const OUTPUT_BYTES = 1024 * 1024 * 1024;
const TIMEOUT_MS = 120_000;

/** One frame's fields by name; empty where the frame has no such field. */
export type TsharkFrame = Readonly<Record<string, string>>;

export interface TsharkQuestion {
  /** Display filter fields, `tcp.srcport`; the first occurrence of each is taken. */
  readonly fields: readonly string[];
  /** Preferences, `ip.defragment:FALSE`. */
  readonly preferences?: readonly string[];
}

let versionAsked: Promise<string> | undefined;

/** tshark's version line. Rejects when it is not installed. */
export function tsharkVersion(): Promise<string> {
  versionAsked ??= run('tshark', ['--version']).then(({ stdout }) => stdout.split('\n')[0] ?? '');
  return versionAsked;
}

/** What tshark says of every frame of a capture file; undefined when it cannot open the file. */
export async function tsharkFrames(path: string, question: TsharkQuestion): Promise<TsharkFrame[] | undefined> {
  const preferences = question.preferences ?? [];
  const key = createHash('sha256')
    .update(JSON.stringify([await tsharkVersion(), question.fields, preferences]))
    .update(await readFile(path))
    .digest('hex');
  const cached = join(CACHE, `${key}.tsv`);
  const output = await readFile(cached, 'utf8').catch(() => ask(path, cached, question.fields, preferences));
  if (output === '') return undefined;
  const lines = output.split('\n').slice(0, -1);
  return lines.map((line) => {
    const values = line.split('\t');
    return Object.fromEntries(question.fields.map((field, index) => [field, values[index] ?? '']));
  });
}

/** The octets of one TCP stream as tshark puts them together. */
export interface FollowedStream {
  /** tcp.stream */
  readonly number: number;
  /** Of node 0, which tshark takes for the client, and of node 1. */
  readonly octets: readonly [Buffer, Buffer];
}

/** What `follow,tcp,raw` gives of a file's first streams; one call. */
export async function tsharkStreams(path: string, count: number): Promise<FollowedStream[]> {
  const key = createHash('sha256')
    .update(JSON.stringify([await tsharkVersion(), 'follow,tcp,raw', count]))
    .update(await readFile(path))
    .digest('hex');
  const cached = join(CACHE, `${key}.follow`);
  const output = await readFile(cached, 'utf8').catch(async () => {
    const wanted = Array.from({ length: count }, (_, stream) => ['-z', `follow,tcp,raw,${stream}`]).flat();
    return keep(cached, await tshark(['-n', '-q', '-r', path, ...wanted]));
  });
  return output
    .split(/^Follow: tcp,raw$/m)
    .slice(1)
    .map(followed);
}

function followed(text: string): FollowedStream {
  const octets: [string[], string[]] = [[], []];
  for (const line of text.slice(text.indexOf('Node 1:')).split('\n').slice(1)) {
    if (/^\t?[0-9a-f]+$/.test(line)) octets[line.startsWith('\t') ? 1 : 0].push(line.trim());
  }
  const [first, second] = octets.map((lines) => Buffer.from(lines.join(''), 'hex'));
  const number = Number(/^Filter: tcp\.stream eq (\d+)$/m.exec(text)?.[1]);
  return { number, octets: [first ?? Buffer.alloc(0), second ?? Buffer.alloc(0)] };
}

/** An empty answer stands for a file tshark does not open, or one without a frame. */
async function ask(
  path: string,
  cached: string,
  fields: readonly string[],
  preferences: readonly string[],
): Promise<string> {
  const argv = ['-n', '-r', path, '-T', 'fields', '-E', 'occurrence=f', '-E', 'separator=/t'];
  for (const preference of preferences) argv.push('-o', preference);
  for (const field of fields) argv.push('-e', field);
  return keep(cached, await tshark(argv));
}

/** What tshark prints; also when it ends with an error, as for a file cut in its last frame: what it printed before holds. */
function tshark(argv: readonly string[]): Promise<string> {
  return run('tshark', argv, { maxBuffer: OUTPUT_BYTES, timeout: TIMEOUT_MS }).then(
    ({ stdout }) => stdout,
    (failure: unknown) => {
      if (failure instanceof Error && 'stdout' in failure && 'code' in failure && typeof failure.code === 'number') {
        return String(failure.stdout);
      }
      throw failure;
    },
  );
}

async function keep(cached: string, output: string): Promise<string> {
  await mkdir(CACHE, { recursive: true });
  const part = `${cached}.${process.pid}.part`;
  await writeFile(part, output);
  await rename(part, cached);
  return output;
}
