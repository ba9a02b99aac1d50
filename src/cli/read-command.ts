import { wantsColour } from '../view/colour.ts';
import { byteSize, counted, timeSpan } from '../view/units.ts';
import { EXIT, type ExitCode, KsnoopError } from '../wire/errors.ts';
import { AnalysisSession } from './analysis/session.ts';
import { ByteWriter } from './byte-writer.ts';
import { type InputEnd, openInput } from './input.ts';
import { completeRead, type RawReadOptions, type ReadConfig } from './read-options.ts';
import { type Voice, voice } from './voice.ts';

/** Lines waiting for a slow reader before reading waits for it. */
const WAITING_BYTES = 8 * 1024 * 1024;

/** `ksnoop read FILE`: everything between the command line and the exit code. */
export async function readCommand(path: string | undefined, raw: RawReadOptions): Promise<ExitCode> {
  const config = completeRead(path, raw, process.stdin.isTTY === true);
  const say = voice(config);
  const { compileWhere } =
    config.where === undefined ? { compileWhere: undefined } : await import('../analyze/where/where.ts');
  const where = config.where === undefined ? undefined : compileWhere?.(config.where);
  const abort = new AbortController();
  const stop = () => abort.abort();
  for (const signal of SIGNALS) process.on(signal, stop);
  const writer = new ByteWriter(1, () => {
    if (writer.end !== undefined) stop();
  });
  const terminal = process.stdout.isTTY === true;
  const session = new AnalysisSession(config.output, {
    line: (text) => {
      const bytes = Buffer.from(`${text}\n`, 'utf8');
      writer.push(bytes, 0, bytes.length);
    },
    colour: wantsColour(process.stdout, process.env),
    align: terminal,
    width: terminal ? process.stdout.columns : undefined,
    json: config.json,
    where,
    showSecrets: config.showSecrets,
  });
  try {
    return await read(config, session, writer, say, abort.signal);
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop);
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

async function read(
  config: ReadConfig,
  session: AnalysisSession,
  writer: ByteWriter,
  say: Voice,
  signal: AbortSignal,
): Promise<ExitCode> {
  const started = performance.now();
  const input = openInput(config.path, { follow: config.follow });
  let damage: KsnoopError | undefined;
  let end: InputEnd | undefined;
  try {
    end = await input.each(
      (bytes) => {
        session.push(bytes);
        if (writer.pending > WAITING_BYTES) return writer.drained();
        return undefined;
      },
      signal,
      (position, size) => progress(config, say, position, size),
    );
  } catch (thrown) {
    if (!(thrown instanceof KsnoopError) || session.capture.framer.consumed === 0) throw thrown;
    damage = thrown;
  }
  session.end();
  await writer.drained();
  if (writer.end?.kind === 'failed') throw new KsnoopError('CANNOT_WRITE', `The output: ${writer.end.error.message}.`);
  for (const line of notes(session)) say.say(line);
  say.detail(
    `${counted(session.capture.framer.packets, 'packet')}, ${byteSize(session.capture.octets)} in ${timeSpan(performance.now() - started)}`,
  );
  if (writer.end?.kind === 'closed') return EXIT.done;
  return conclude(config, session, end, damage, signal.aborted, say);
}

/** Says where reading stopped, when that is not the end. */
function conclude(
  config: ReadConfig,
  session: AnalysisSession,
  end: InputEnd | undefined,
  damage: KsnoopError | undefined,
  aborted: boolean,
  say: Voice,
): ExitCode {
  const { framer } = session.capture;
  const read = `${counted(framer.packets, 'packet')} before it could be read`;
  const name = config.path === '-' ? 'stdin' : config.path;
  if (damage !== undefined) {
    say.tell(`${name}: ${damage.message} ${read}. [${damage.code}]`);
    return EXIT.truncated;
  }
  if (aborted) return EXIT.done;
  if (end?.kind === 'truncated') {
    say.tell(`${name}: the compressed data ends at byte ${end.at}, before its end; ${read}. [TRUNCATED]`);
    return EXIT.truncated;
  }
  if (framer.format === undefined) {
    throw new KsnoopError('NO_CAPTURE', `${name} is empty: no capture begins in it.`, {
      hint: 'ksnoop reads what tcpdump, Wireshark and ksnoop write, also with gzip or zstd.',
    });
  }
  if (framer.pending > 0) {
    say.tell(`${name}: the capture ends at byte ${framer.consumed}, within a packet; ${read}. [TRUNCATED]`);
    return EXIT.truncated;
  }
  if (framer.writer.startsWith('ksnoop ') && !framer.endMarked) {
    say.tell(`${name}: written by ksnoop and without its end marker: it was cut; ${read}. [TRUNCATED]`);
    return EXIT.truncated;
  }
  return EXIT.done;
}

/** What the analysis could not hold or see. */
function notes(session: AnalysisSession): string[] {
  const { analysis, truncated } = session.capture;
  const { evicted, gaps, otherHosts } = analysis.bounds;
  const lines: string[] = [];
  if (analysis.copies > 0) lines.push(`${counted(analysis.copies, 'packet')} were seen at more than one interface`);
  if (truncated > 0) lines.push(`${counted(truncated, 'packet')} were captured in part only (snaplen)`);
  if (gaps > 0) lines.push(`${counted(gaps, 'gap')} in TCP streams: octets that were not captured`);
  if (evicted > 0) lines.push(`${counted(evicted, 'flow')} ended early: too many at once`);
  if (otherHosts > 0) lines.push(`${counted(otherHosts, 'address')} too many are counted as one`);
  return lines;
}

function progress(config: ReadConfig, say: Voice, position: number, size: number | undefined): void {
  if (config.quiet || process.stderr.isTTY !== true || config.follow) return;
  if (size === undefined) say.say(`read ${byteSize(position)}`);
  else say.say(`read ${byteSize(position)} of ${byteSize(size)} (${Math.floor((100 * position) / size)} %)`);
}
