import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';

const run = promisify(execFile);

/** A start of tshark costs 0.2 s, so what it said of a file is kept by the file's hash, the question and its version. */
const CACHE = join(homedir(), '.cache/ksnoop/oracle');

/** Its answers to one file, at most. */
const OUTPUT_BYTES = 1024 * 1024 * 1024;
const TIMEOUT_MS = 300_000;
/** Larger answers are kept compressed. */
const PLAIN_BYTES = 64 * 1024;

let versionAsked: Promise<string> | undefined;

/** tshark's version line. Rejects when it is not installed. */
function tsharkVersion(): Promise<string> {
  versionAsked ??= run('tshark', ['--version']).then(({ stdout }) => stdout.split('\n')[0] ?? '');
  return versionAsked;
}

/**
 * tshark's output for a capture file, from the cache where it was asked before.
 * @param question what tells this question, put as `argv`, from others
 * @returns an empty text stands for a file tshark does not open, or one without a frame
 */
export async function askTshark(path: string, argv: readonly string[], question: readonly unknown[]): Promise<string> {
  const key = createHash('sha256')
    .update(JSON.stringify([await tsharkVersion(), ...question]))
    .update(await readFile(path))
    .digest('hex');
  const cached = join(CACHE, `${key}.tsv`);
  const known = await readFile(cached).catch(() => undefined);
  if (known !== undefined) return (known[0] === 0x1f ? gunzipSync(known) : known).toString('utf8');
  const output = await tshark(['-n', '-r', path, ...argv]);
  await mkdir(CACHE, { recursive: true });
  const part = `${cached}.${process.pid}.part`;
  await writeFile(part, output.length > PLAIN_BYTES ? gzipSync(output) : output);
  await rename(part, cached);
  return output;
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
