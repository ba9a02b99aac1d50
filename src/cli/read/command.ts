import { fstatSync } from 'node:fs';
import type { AnalysisForm } from '../../run/analysis/form.ts';
import { analysisNotes } from '../../run/analysis/notes.ts';
import type { ConversionConfig, ReadingConfig } from '../../run/reading/config.ts';
import type { ReadingObserver, ReadResult } from '../../run/reading/read-capture.ts';
import { wantsColour } from '../../view/colour.ts';
import { byteSize, counted, grouped, timeSpan } from '../../view/units.ts';
import { EXIT, type ExitCode } from '../../wire/errors.ts';
import { checkFailOn } from '../fail-on.ts';
import { boundHeapGrowth } from '../heap.ts';
import { type Logger, logger } from '../logger.ts';
import { onStopSignals } from '../signals.ts';
import { isTerminal } from '../terminal.ts';
import { typedCommand } from '../typed-command.ts';
import { completeRead, type RawReadOptions, type ReadLines } from './options.ts';

/**
 * `ksnoop read FILE…`: everything between the command line and the exit code.
 * @param form of analysis that no `-o` names, in place of the output
 */
export async function readCommand(
  paths: readonly string[],
  raw: RawReadOptions,
  form?: AnalysisForm,
): Promise<ExitCode> {
  const terminals = { stdin: isTerminal('stdin'), stdout: isTerminal('stdout') };
  const command = completeRead(paths, raw, terminals);
  const log = logger(command);
  const abort = new AbortController();
  const release = onStopSignals(() => abort.abort());
  try {
    const { reading, make } = command;
    if (make.kind === 'lines') {
      return await printLines(reading, { ...make, output: form ?? make.output }, log, abort.signal);
    }
    return await convertCapture(reading, make.conversion, log, abort.signal);
  } finally {
    release();
  }
}

async function printLines(
  reading: ReadingConfig,
  { output, argument, json, utc, verbose, failOn }: ReadLines,
  log: Logger,
  signal: AbortSignal,
): Promise<ExitCode> {
  const started = performance.now();
  if (failOn !== undefined) await checkFailOn(failOn);
  const { readLines } = await import('../../run/reading/lines.ts');
  boundHeapGrowth();
  const terminal = isTerminal('stdout');
  const form = {
    output,
    argument,
    command: () => typedCommand(process.argv.slice(2), reading.showSecrets),
    json,
    utc,
    verbose,
    live: reading.follow || (reading.paths.includes('-') && isPipe(0)),
    colour: wantsColour({ isTTY: terminal }, process.env),
    align: terminal,
    width: terminal ? process.stdout.columns : undefined,
    descriptor: 1,
  };
  const result = await readLines(reading, form, signal, observerOf(log, reading.follow));
  const { capture } = result.session;
  const missing = whyEmpty(capture.framer.packets, result.session.span !== undefined);
  if (missing !== undefined) log.info(missing);
  if (capture.truncated > 0) {
    const were = capture.truncated === 1 ? 'was' : 'were';
    log.info(`${counted(capture.truncated, 'packet')} ${were} captured in part only (snaplen)`);
  }
  for (const line of analysisNotes(result.session)) log.info(line);
  const elapsed = timeSpan(performance.now() - started);
  log.debug(`${counted(capture.framer.packets, 'packet')}, ${byteSize(capture.bytes)} in ${elapsed}`);
  const exit = exitOf(result, log);
  if (exit !== EXIT.done || failOn === undefined) return exit;
  const { isFailing } = await import('../../run/analysis/findings.ts');
  return isFailing(result.session.found, failOn) ? EXIT.found : exit;
}

/** @param any whether any packet was wanted. @returns why there is nothing to show, undefined where there is */
function whyEmpty(packets: number, any: boolean): string | undefined {
  if (any) return undefined;
  if (packets === 0) return 'the capture has no packets';
  return `0 of ${counted(packets, 'packet')} matched the filter and times (-f, --from, --to, --since)`;
}

async function convertCapture(
  reading: ReadingConfig,
  conversion: ConversionConfig,
  log: Logger,
  signal: AbortSignal,
): Promise<ExitCode> {
  const { convert } = await import('../../run/reading/convert.ts');
  const result = await convert(reading, conversion, signal, observerOf(log, reading.follow));
  if (result === undefined) return EXIT.failed;
  const of = `${counted(result.written, 'packet')} of ${grouped(result.packets)}`;
  const { description } = result;
  log.info(`${of}, ${byteSize(result.bytes)}${description === undefined ? '' : `: ${description}`}`);
  if (result.omitted !== undefined) log.warn(result.omitted);
  return exitOf(result, log);
}

/** Whether a descriptor is a pipe or a socket: what comes through it may be captured just now. */
function isPipe(descriptor: number): boolean {
  const stat = fstatSync(descriptor);
  return stat.isFIFO() || stat.isSocket();
}

/** The exit code of what was read; prints why it is not whole. */
function exitOf({ stopped, closed }: ReadResult & { readonly closed: boolean }, log: Logger): ExitCode {
  for (const line of stopped) log.warn(line);
  return stopped.length === 0 || closed ? EXIT.done : EXIT.truncated;
}

function observerOf(log: Logger, follow: boolean): ReadingObserver {
  return {
    note: log.warn,
    progress: (position, size) => {
      if (process.stderr.isTTY !== true || follow) return;
      const share = size === undefined ? '' : ` of ${byteSize(size)} (${Math.floor((100 * position) / size)} %)`;
      log.info(`read ${byteSize(position)}${share}`);
    },
  };
}
