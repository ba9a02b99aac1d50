import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provenNames } from '../../capture/names/proven-names.ts';
import { conditionOf, phaseOf } from '../../capture/tenant/capture-object.ts';
import { RecordingFetch } from '../../capture/tenant/fetch-recording.ts';
import { formatOf } from '../../run/convert/index.ts';
import { type FetchedFiles, fetchFiles, removeEmpty, removeFetched } from '../../run/recording/fetch-files.ts';
import { getObject } from '../../run/recording/get-object.ts';
import { mergeTo } from '../../run/recording/merge-to.ts';
import { fileExists } from '../../run/sink/file-errors.ts';
import type { SinkTarget } from '../../run/sink/sink.ts';
import { whereExpression } from '../../run/where.ts';
import { byteSize, counted } from '../../view/units.ts';
import { EXIT, type ExitCode, KsnoopError } from '../../wire/errors.ts';
import { objectAt, requireString } from '../../wire/guard.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import { openCluster } from '../cluster.ts';
import { type Logger, logger } from '../logger.ts';
import { readCommand } from '../read/command.ts';
import { completeRead, type RawReadOptions } from '../read/options.ts';
import { onStopSignals } from '../signals.ts';
import { isTerminal } from '../terminal.ts';
import { usage } from '../usage.ts';
import { captureName } from './capture-name.ts';

export interface RawGetOptions extends RawReadOptions {
  readonly namespace?: string;
  readonly directory?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
}

interface Fetched extends FetchedFiles {
  /** Where they are: no other Capture's are there. */
  readonly directory: string;
  /** Of addresses that may be in them. */
  readonly names: readonly NamedAddress[];
  /** Everything that there is was fetched. */
  readonly isWhole: boolean;
}

/** How often progress is printed, milliseconds. */
const PROGRESS_MS = 1_000;

/** Options with which the merged file is not what is to be written. */
const CHANGING = ['filter', 'where', 'from', 'to', 'since', 'snaplen', 'output', 'keylog', 'report'] as const;

/** `ksnoop get capture/NAME`: fetch the files of a recording, merge them, and write or analyse the whole. */
export async function getCommand(word: string, raw: RawGetOptions): Promise<ExitCode> {
  const name = captureName(word);
  const log = logger({ quiet: raw.quiet === true, verbose: raw.verbose === true });
  const abort = new AbortController();
  const release = onStopSignals(() => abort.abort());
  const own = raw.directory ?? (raw.write === undefined || raw.write === '-' ? undefined : `${raw.write}.files`);
  const directory = own ?? mkdtempSync(join(tmpdir(), 'ksnoop-get-'));
  const merged = join(directory, `.merged-${process.pid}.pcapng`);
  let fetched: Fetched | undefined;
  let isDone = false;
  try {
    await checkOptions(raw, merged);
    fetched = await fetchAll(name, raw, directory, log, abort.signal);
    const exit = fetched.missing.length > 0 ? EXIT.partial : EXIT.done;
    for (const line of fetched.missing) log.warn(line);
    const plain = plainTarget(raw);
    const { names } = fetched;
    const output = { target: plain ?? ({ kind: 'file', path: merged } as const), force: true, names };
    const options = plain === undefined ? output : { ...output, force: raw.force === true };
    const { packets, bytes, description } = await mergeTo(fetched.files, options, abort.signal);
    const files = `${counted(fetched.files.length, 'file')} merged`;
    log.info(
      `${files}: ${counted(packets, 'packet')}, ${byteSize(bytes)}${description === undefined || plain === undefined ? '' : `: ${description}`}`,
    );
    const read = plain === undefined ? await readCommand([merged], readOptions(raw)) : EXIT.done;
    isDone = fetched.isWhole;
    return read === EXIT.done ? exit : read;
  } finally {
    release();
    rmSync(merged, { force: true });
    // What was fetched in part is gone on with at the next attempt.
    if (own === undefined) rmSync(directory, { recursive: true, force: true });
    else if (isDone && fetched !== undefined && raw.directory === undefined) {
      removeFetched(fetched.directory);
      removeEmpty(directory);
    } else if (!isDone && existsSync(directory)) {
      log.info(`fetched files are kept in ${directory}; the same command continues from there`);
    }
  }
}

/** Refuse what cannot be done with the files before they are fetched, which may take long. @throws KsnoopError USAGE, FILE_EXISTS */
async function checkOptions(raw: RawGetOptions, merged: string): Promise<void> {
  if (raw.follow === true) throw usage('ksnoop get does not follow a recording: type it again for what is new.');
  await whereExpression(raw.where);
  completeRead([merged], readOptions(raw), { stdin: isTerminal('stdin'), stdout: isTerminal('stdout') });
  const { write, force } = raw;
  if (write === undefined || write === '-' || force === true) return;
  if (statSync(write, { throwIfNoEntry: false })?.isFile() === true) throw fileExists(write);
}

async function fetchAll(
  name: string,
  raw: RawGetOptions,
  directory: string,
  log: Logger,
  signal: AbortSignal,
): Promise<Fetched> {
  const kube = await openCluster(raw);
  try {
    const namespace = raw.namespace ?? kube.namespace;
    const fetch = await RecordingFetch.begin(kube, { namespace, name }, getObject, signal);
    try {
      const metadata = objectAt(fetch.object, 'metadata');
      const uid = requireString(metadata, 'uid', 'Capture');
      const fetched = await fetchFrom(fetch, join(directory, `${name}-${uid.slice(0, 8)}`), log, signal);
      // After the last packet that was fetched: who has an address now and had it when the recording began had it all the time.
      const since = Date.parse(requireString(metadata, 'creationTimestamp', 'Capture'));
      return { ...fetched, names: await provenNames(kube, { namespace, since }, signal) };
    } finally {
      await fetch.close();
    }
  } finally {
    kube.close();
  }
}

async function fetchFrom(
  fetch: RecordingFetch,
  directory: string,
  log: Logger,
  signal: AbortSignal,
): Promise<Omit<Fetched, 'names'>> {
  const { files, missing } = await fetch.files(signal);
  const { status } = fetch;
  const degraded = conditionOf(status, 'Degraded');
  const others = degraded.status === 'True' ? [...missing, degraded.message] : missing;
  if (phaseOf(status) === 'Running') log.info('the recording still runs: fetching the files that are finished');
  if (files.length === 0) {
    const hint =
      phaseOf(status) === 'Complete'
        ? 'A recording with a trigger has files only of what matched.'
        : 'A file is finished when it is full, when the time after a trigger has passed, or when the recording ends: ksnoop stop capture/NAME';
    const why = others.length === 0 ? '' : ` ${others.join(' ')}`;
    throw new KsnoopError('NO_SUCH_RECORDING', `The recording has no finished files.${why}`, { hint });
  }
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const nodes = new Set(files.map(({ node }) => node)).size;
  log.info(`fetching ${counted(files.length, 'file')} of ${counted(nodes, 'node')}, ${byteSize(total)}`);
  let printed = performance.now();
  const observer = {
    note: log.warn,
    progress: (bytes: number) => {
      if (performance.now() < printed + PROGRESS_MS) return;
      printed = performance.now();
      log.info(
        `fetched ${byteSize(bytes)} of ${byteSize(total)} (${Math.floor((100 * bytes) / Math.max(total, 1))} %)`,
      );
    },
  };
  const fetched = await fetchFiles(files, directory, observer, signal);
  const isWhole = missing.length === 0 && fetched.missing.length === 0;
  return { directory, files: fetched.files, missing: [...others, ...fetched.missing], isWhole };
}

/** Where the merged file goes as it is; undefined where something else is made of it. */
function plainTarget(raw: RawGetOptions): SinkTarget | undefined {
  const { write } = raw;
  if (write === undefined || raw.keys === false || CHANGING.some((key) => raw[key] !== undefined)) return undefined;
  if (write === '-') return { kind: 'stdout' };
  return formatOf(write).name === 'pcapng' ? { kind: 'file', path: write } : undefined;
}

/** The options that `ksnoop read` has too. */
function readOptions({
  namespace: _n,
  directory: _d,
  context: _c,
  kubeconfig: _k,
  ...raw
}: RawGetOptions): RawReadOptions {
  return raw;
}
