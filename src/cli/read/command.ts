import { AnalysisSession, type Condition } from '../../analyze/engine/session.ts';
import { analysisNotes } from '../../run/analysis/notes.ts';
import { packetSelection } from '../../run/convert/select.ts';
import { ByteWriter } from '../../run/sink/byte-writer.ts';
import { wantsColour } from '../../view/colour.ts';
import { byteSize, counted, timeSpan } from '../../view/units.ts';
import { EXIT, type ExitCode, KsnoopError } from '../../wire/errors.ts';
import { type Logger, logger } from '../logger.ts';
import { condition } from '../where-condition.ts';
import { completeRead, type RawReadOptions, type ReadConfig, type ReadLines } from './options.ts';
import { readCapture, readExit } from './read-capture.ts';

/** Lines waiting for a slow reader before reading waits for it. */
const WAITING_BYTES = 8 * 1024 * 1024;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** `ksnoop read FILE`: everything between the command line and the exit code. */
export async function readCommand(path: string | undefined, raw: RawReadOptions): Promise<ExitCode> {
  const terminals = { stdin: process.stdin.isTTY === true, stdout: process.stdout.isTTY === true };
  const config = completeRead(path, raw, terminals);
  const log = logger(config);
  const where = config.where === undefined ? undefined : await condition(config.where);
  const abort = new AbortController();
  const stop = () => abort.abort();
  for (const signal of SIGNALS) process.on(signal, stop);
  try {
    if (config.make.kind === 'lines') return await readLines(config, config.make, where, log, abort);
    const { convert } = await import('./convert-command.ts');
    return await convert(config, config.make, where, log, abort.signal);
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop);
  }
}

async function readLines(
  config: ReadConfig,
  make: ReadLines,
  where: Condition | undefined,
  log: Logger,
  abort: AbortController,
): Promise<ExitCode> {
  const started = performance.now();
  const writer: ByteWriter = new ByteWriter(1, () => {
    if (writer.end !== undefined) abort.abort();
  });
  const terminal = process.stdout.isTTY === true;
  const session = new AnalysisSession(await make.output.load(), {
    line: (text) => {
      const bytes = Buffer.from(`${text}\n`, 'utf8');
      writer.push(bytes, 0, bytes.length);
    },
    colour: wantsColour(process.stdout, process.env),
    align: terminal,
    width: terminal ? process.stdout.columns : undefined,
    json: make.json,
    where,
    choice: packetSelection(config),
    showSecrets: config.showSecrets,
  });
  const { capture } = session;
  const result = await readCapture(
    config,
    capture.framer,
    (bytes) => session.push(bytes),
    () => (writer.pending > WAITING_BYTES ? writer.drained() : undefined),
    abort.signal,
    log,
  );
  session.end();
  await writer.drained();
  if (writer.end?.kind === 'failed') {
    throw new KsnoopError('CANNOT_WRITE', `The output could not be written: ${writer.end.error.message}.`);
  }
  if (capture.truncated > 0) {
    const were = capture.truncated === 1 ? 'was' : 'were';
    log.info(`${counted(capture.truncated, 'packet')} ${were} captured in part only (snaplen)`);
  }
  for (const line of analysisNotes(session)) log.info(line);
  const elapsed = timeSpan(performance.now() - started);
  log.debug(`${counted(capture.framer.packets, 'packet')}, ${byteSize(capture.octets)} in ${elapsed}`);
  if (result.stopped !== undefined) log.warn(result.stopped);
  return writer.end?.kind === 'closed' ? EXIT.done : readExit(result);
}
