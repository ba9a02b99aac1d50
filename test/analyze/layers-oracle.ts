import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tsharkVersion } from '../oracle/tshark.ts';

const run = promisify(execFile);

const CACHE = join(homedir(), '.cache/ksnoop/oracle');
const OUTPUT_BYTES = 1024 * 1024 * 1024;
const TIMEOUT_MS = 300_000;

/** One frame's fields by name, each with all its occurrences, outermost first. */
export type LayerFrame = ReadonlyMap<string, readonly string[]>;

/**
 * What tshark says of every frame of a capture, every occurrence of a field, since in tunnels they repeat; kept by the
 * file's hash. Undefined when it cannot open the file.
 */
export async function layerFrames(
  path: string,
  fields: readonly string[],
  preferences: readonly string[],
  filter = '',
): Promise<LayerFrame[] | undefined> {
  const key = createHash('sha256')
    .update(JSON.stringify([await tsharkVersion(), 'all occurrences', fields, preferences, filter]))
    .update(await readFile(path))
    .digest('hex');
  const cached = join(CACHE, `${key}.tsv`);
  const output = await readFile(cached, 'utf8').catch(() => ask(path, cached, fields, preferences, filter));
  if (output === '') return undefined;
  return output
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const values = line.split('\t');
      return new Map(fields.map((field, index) => [field, values[index] ? values[index].split(',') : []]));
    });
}

async function ask(
  path: string,
  cached: string,
  fields: readonly string[],
  preferences: readonly string[],
  filter: string,
): Promise<string> {
  const argv = ['-n', '-r', path, '-T', 'fields', '-E', 'occurrence=a', '-E', 'aggregator=,', '-E', 'separator=/t'];
  for (const preference of preferences) argv.push('-o', preference);
  for (const field of fields) argv.push('-e', field);
  if (filter !== '') argv.push('-Y', filter);
  // An error also ends a file cut in its last frame: what was printed before holds.
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
