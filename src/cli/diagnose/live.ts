import { Writable } from 'node:stream';
import type { OpenedQuery } from '../../run/capture/find-targets.ts';
import { type CapturePlan, planCapture } from '../../run/capture/plan.ts';
import { type CaptureOutcome, type CaptureRun, runCapture } from '../../run/capture/run.ts';
import { Diagnosis } from '../../run/diagnose/diagnosis.ts';
import { AnalysedOutput } from '../../run/outputs/analysed-output.ts';
import { type OpenOutput, openOutput } from '../../run/outputs/open.ts';
import { TeeOutput } from '../../run/outputs/tee.ts';
import { LiveReport } from '../../run/report/live-report.ts';
import { ByteWriter } from '../../run/sink/byte-writer.ts';
import { whereExpression } from '../../run/where.ts';
import { counted, timeSpan } from '../../view/units.ts';
import { EXIT, type ExitCode } from '../../wire/errors.ts';
import { interruptible } from '../capture/interruptible.ts';
import { announce, conclude } from '../capture/messages.ts';
import { pickOnTerminal } from '../capture/pick-target.ts';
import { CaptureProgress } from '../capture/progress.ts';
import { checkFailOn } from '../fail-on.ts';
import { type Logger, logger } from '../logger.ts';
import { typedCommand } from '../typed-command.ts';
import { completeDiagnose, type DiagnoseCommand, type RawDiagnoseOptions } from './options.ts';
import { type Captured, keptPaths, printReport } from './report.ts';

/** Findings are looked for so often while the capture runs, and progress is shown every so many times. */
const NEWS_MS = 1000;
const PROGRESS_EVERY = 10;

/** `ksnoop diagnose TARGET…`: everything between the command line and the exit code. */
export async function diagnoseTargets(words: readonly string[], raw: RawDiagnoseOptions): Promise<ExitCode> {
  const canAsk = process.stdin.isTTY === true && process.stderr.isTTY === true;
  const command = completeDiagnose(words, raw, canAsk);
  if (command.failOn !== undefined) await checkFailOn(command.failOn);
  const log = logger(command);
  return interruptible(async (signal, stoppable) => {
    const opened = await openTargets(command, log, signal, canAsk);
    const diagnosis = new Diagnosis(opened);
    const page = command.report === undefined ? undefined : new LiveReport(command.report);
    try {
      const plan = await planned({ diagnosis, opened, command }, log, signal);
      const nothing = announce(plan, log);
      // A Service that selects nothing has no packets: what is wrong is known already.
      if (nothing !== undefined || (plan.plans.length === 0 && diagnosis.hasErrors)) {
        if (nothing === undefined) await plan.close();
        return await report(diagnosis, command, undefined, { otherwise: nothing ?? EXIT.done, signal, page, log });
      }
      const progress = new CaptureProgress(log);
      const run = await runCapture(plan, command.capture, {
        open: (onProgress) => openOutputs(diagnosis, { ...command, page }, onProgress, signal),
        observer: progress,
      });
      stoppable(run, log);
      const outcome = await withNews(run, diagnosis, command, log);
      progress.close();
      const otherwise = conclude(outcome, false, log);
      return await report(diagnosis, command, lookedAt(run, outcome), { otherwise, signal, page, log });
    } finally {
      await diagnosis.close();
    }
  });
}

async function openTargets(
  { capture }: DiagnoseCommand,
  log: Logger,
  signal: AbortSignal,
  canAsk: boolean,
): Promise<OpenedQuery | undefined> {
  if (capture.local) return undefined;
  const { chosenContexts } = await import('../../capture/targets/contexts.ts');
  const contexts = chosenContexts(capture);
  if (contexts !== undefined && contexts.length > 1) {
    log.warn('objects are not read from several clusters: findings come from the packets alone');
    return undefined;
  }
  const { openQuery } = await import('../../run/capture/find-targets.ts');
  return openQuery(
    { ...capture, context: contexts?.[0] ?? capture.context },
    signal,
    canAsk ? pickOnTerminal : undefined,
  );
}

/** Read the objects and plan the capture, at the same time where the one does not need the other. */
async function planned(
  {
    diagnosis,
    opened,
    command,
  }: {
    readonly diagnosis: Diagnosis;
    readonly opened: OpenedQuery | undefined;
    readonly command: DiagnoseCommand;
  },
  log: Logger,
  signal: AbortSignal,
): Promise<CapturePlan> {
  const { capture: config, scope } = command;
  if (opened === undefined) return planCapture(config, signal);
  const { findOpened } = await import('../../run/capture/find-targets.ts');
  const examined = examine(diagnosis, log, signal);
  if (scope !== 'surroundings') {
    const [plan] = await Promise.all([findOpened(opened, config, signal), examined]);
    return plan;
  }
  await examined;
  const { withSurroundings } = await import('../../run/diagnose/surroundings.ts');
  const wider = await withSurroundings(opened, diagnosis.before, signal);
  for (const note of wider.notes) log.warn(note);
  return findOpened(wider.opened, config, signal);
}

/** What needs no packets is printed before anything is captured. */
async function examine(diagnosis: Diagnosis, log: Logger, signal: AbortSignal): Promise<void> {
  const found = await diagnosis.examine(signal);
  for (const sentence of diagnosis.before?.unread ?? []) log.warn(`not read: ${sentence}`);
  for (const { message, code } of found) log.info(`found: ${message} [${code}]`);
}

async function openOutputs(
  { live }: Diagnosis,
  { packets, where, keyLog, json, utc, verbose, page }: DiagnoseCommand & { readonly page: LiveReport | undefined },
  onProgress: () => void,
  signal: AbortSignal,
): Promise<OpenOutput> {
  const condition = (await whereExpression(where))?.condition;
  const nowhere = new Writable({ write: (_bytes, _encoding, done) => done() });
  const writer = new ByteWriter(nowhere, onProgress);
  const context = {
    writer,
    colour: false,
    width: undefined,
    json,
    where: condition,
    showSecrets: false,
    keyLog,
    utc,
    verbose,
    command: () => typedCommand(process.argv.slice(2), false),
    paths: keptPaths(packets),
  };
  const analysed = new AnalysedOutput(page?.beside(live.kind) ?? live.kind, context);
  if (packets === undefined) return { output: analysed, sink: undefined };
  const kept = await openOutput(packets, { colour: false, width: undefined }, onProgress, signal);
  return { output: new TeeOutput(analysed, kept.output), sink: kept.sink };
}

/** Print what is found while the capture runs, and how far it is. */
async function withNews(
  { running, outcome }: CaptureRun,
  diagnosis: Diagnosis,
  { capture: { durationMs } }: DiagnoseCommand,
  log: Logger,
): Promise<CaptureOutcome> {
  const began = performance.now();
  let rounds = 0;
  const timer = setInterval(() => {
    for (const { message, code } of diagnosis.news()) log.info(`found: ${message} [${code}]`);
    rounds += 1;
    if (rounds % PROGRESS_EVERY > 0) return;
    const elapsed = timeSpan(performance.now() - began);
    const of = Number.isFinite(durationMs) ? ` of ${timeSpan(durationMs)}` : '';
    log.info(
      `${elapsed}${of}: ${counted(running.tally.packets, 'packet')}, ${counted(diagnosis.live.looked.exchanges, 'exchange')}`,
    );
  }, NEWS_MS);
  try {
    return await outcome;
  } finally {
    clearInterval(timer);
  }
}

/** What was captured, and for how long; undefined where nothing was. */
function lookedAt({ report }: CaptureRun, { summary }: CaptureOutcome): Captured | undefined {
  if (summary === undefined) return undefined;
  const captured = [...report.targets.values()].filter(({ state }) => state !== 'failed');
  return { targets: captured.map(({ label }) => label), elapsedMs: summary.elapsedMs };
}

/** How a report is concluded. */
interface Concluding {
  /** The exit code without findings. */
  readonly otherwise: ExitCode;
  readonly signal: AbortSignal;
  readonly page: LiveReport | undefined;
  readonly log: Logger;
}

/** Read the objects once more and print the report. @returns the exit code */
async function report(
  diagnosis: Diagnosis,
  command: DiagnoseCommand,
  captured: Captured | undefined,
  { otherwise, signal, page, log }: Concluding,
): Promise<ExitCode> {
  await diagnosis.conclude(signal);
  const findings = diagnosis.findings();
  if (page !== undefined && !page.write(findings)) log.warn('no report was written: nothing was captured');
  // Where nothing was looked at, that nothing was found says nothing.
  if (captured === undefined && findings.length === 0) return otherwise;
  printReport(diagnosis, findings, captured, command);
  const { isFailing } = await import('../../run/analysis/findings.ts');
  if (command.failOn !== undefined && isFailing(findings, command.failOn)) return EXIT.found;
  // Where objects say what is wrong, that there was nothing to capture is no failure.
  return otherwise === EXIT.noTarget ? EXIT.done : otherwise;
}
