import { planLocal } from '../../capture/plan/local-plan.ts';
import { CallerTap } from '../../capture/streams/caller-tap.ts';
import {
  type CaptureResult,
  type CaptureTargets,
  type RunningCapture,
  startCapture,
} from '../../capture/streams/capture.ts';
import { CaptureReport } from '../../capture/streams/report.ts';
import type { FollowChanges, TargetChange } from '../../capture/streams/target-change.ts';
import type { CreateOutput, Output } from '../../run/outputs/output.ts';
import { openRotation } from '../../run/rotation/rotating-output.ts';
import { failureOf, openSink, type Sink } from '../../run/sink/sink.ts';
import { wantsColour } from '../../view/colour.ts';
import { summaryLines } from '../../view/summary.ts';
import { EXIT, type ExitCode, KsnoopError } from '../../wire/errors.ts';
import { joinFilters } from '../../wire/join-filters.ts';
import { DURATION_MAXIMUM_MS } from '../../wire/limits.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import { type Logger, logger, reportError } from '../logger.ts';
import { condition } from '../where-condition.ts';
import { type CaptureConfig, completeCapture, type RawCaptureOptions } from './options.ts';
import { CaptureProgress } from './progress.ts';
import { captureSummary, exitCode } from './result.ts';

/** What is to be captured, wherever it was found. */
interface Found extends CaptureTargets {
  /** Whether targets may join later. */
  readonly growing: boolean;
  /** Something was found that has no pods yet: they are waited for. */
  readonly waiting: boolean;
  readonly labels: ReadonlyMap<string, string>;
  readonly refused: readonly { readonly label: string; readonly error: KsnoopError }[];
  readonly names: readonly NamedAddress[];
  /** A filter for what must not be captured; undefined for nothing. */
  readonly leaveOut?: string | undefined;
  /** Takes who spoke to which captured pod; undefined unless `--clients` asks for them. */
  readonly seen: ((label: string, caller: string) => void) | undefined;
  /** Tells the names of others: those that are known now, then that there are no more, and later what is new. */
  readonly tellNames:
    | ((signal: AbortSignal, tell: (names: readonly NamedAddress[]) => void, known: () => void) => Promise<void>)
    | undefined;
  readonly close: () => void;
}

/** Who runs a capture that is no command line: what is said and where packets go is its own affair. */
export interface CaptureHost {
  readonly log?: Logger;
  readonly openSink?: typeof openSink;
  /** Takes the place of the output that the options name. */
  readonly output?: CreateOutput;
  /** Whether the user may be asked which target, though there is a voice. */
  readonly mayAsk?: boolean;
  /** Packets may come from now on. */
  readonly started?: (running: RunningCapture, report: CaptureReport) => void;
  /** The last has come; what is said of it comes after. */
  readonly ended?: () => Promise<void>;
}

/** `ksnoop [capture] TARGET…`: everything between the command line and the exit code. */
export async function captureCommand(
  targets: readonly string[],
  raw: RawCaptureOptions,
  host: CaptureHost = {},
): Promise<ExitCode> {
  // Another program's screen is not to be asked on.
  const mayAsk = host.mayAsk ?? host.log === undefined;
  const canAsk = mayAsk && process.stdin.isTTY === true && process.stderr.isTTY === true;
  const config = completeCapture(targets, raw, process.stdout.isTTY === true, canAsk);
  const log = host.log ?? logger(config);
  const abort = new AbortController();
  const signals = listenForSignals(() =>
    abort.abort(new KsnoopError('INTERRUPTED', 'Interrupted before anything was captured.')),
  );
  try {
    if (config.dryRun) {
      const { dryRunCommand } = await import('./dry-run.ts');
      return await dryRunCommand(config, log, abort.signal);
    }
    const found = config.local ? findLocal(config) : await findInCluster(config, log, abort.signal);
    const report = new CaptureReport();
    for (const { label, error } of found.refused) {
      const target = report.add(`refused:${label}`, label);
      target.state = 'failed';
      target.error = error;
      reportError(error, log.warn);
    }
    if (found.plans.length === 0 && !found.waiting) {
      found.close();
      return found.refused[0]?.error.exit ?? EXIT.noTarget;
    }
    for (const [key, label] of found.labels) report.add(key, label);
    return await run(config, found, report, log, signals, abort.signal, host);
  } finally {
    signals.close();
  }
}

async function run(
  config: CaptureConfig,
  found: Found,
  report: CaptureReport,
  log: Logger,
  signals: SignalListener,
  early: AbortSignal,
  host: CaptureHost,
): Promise<ExitCode> {
  const started = performance.now();
  const where = config.where === undefined ? undefined : await condition(config.where);
  let running: RunningCapture | undefined;
  const progress = () => running?.outputProgress();
  const create = host.output ?? (config.output.binary ? config.output.create : await config.output.load());
  const rotating = config.rotation && openRotation(config, config.rotation, create, progress);
  const sink = rotating ?? (await (host.openSink ?? openSink)(config, progress, early));
  const context = {
    writer: sink.writer,
    colour: wantsColour(process.stdout, process.env),
    width: config.sink.kind === 'stdout' && process.stdout.isTTY === true ? process.stdout.columns : undefined,
    json: config.json,
    where,
    showSecrets: config.showSecrets,
  };
  const output = rotating?.output(context) ?? create(context);
  output.addNames(found.names);
  const settings = {
    interface: config.interface,
    filter: joinFilters(config.filter, undefined, found.leaveOut),
    snaplen: config.snaplen,
    maxDurationMs: DURATION_MAXIMUM_MS,
    follow: found.growing,
    correctClocks: config.correctClocks,
  };
  const told = new CaptureProgress(log);
  const named = Promise.withResolvers<void>();
  const targets: CaptureTargets = {
    plans: found.plans,
    follow: found.follow && withNames(found.follow, output),
    named: found.tellNames && named.promise,
  };
  const taken = found.seen === undefined ? output : new CallerTap(output, found.seen);
  running = startCapture(targets, settings, config, taken, report, told);
  host.started?.(running, report);
  signals.onSignal((count) => {
    if (count > 1) running?.terminate();
    else {
      log.info('stopping; once more to break off at once');
      running?.stop('user');
    }
  });
  const naming = new AbortController();
  void running.connected.then(async () => {
    if (naming.signal.aborted) return;
    await found.tellNames?.(naming.signal, (names) => output.addNames(names), named.resolve);
  });
  const result = await running.result;
  await host.ended?.();
  naming.abort();
  told.close();
  found.close();
  return conclude(config, result, output, sink, performance.now() - started, log);
}

async function conclude(
  config: CaptureConfig,
  result: CaptureResult,
  output: Output,
  sink: Sink,
  elapsedMs: number,
  log: Logger,
): Promise<ExitCode> {
  const nothing = result.tally.interfaces.length === 0;
  if (!nothing) await output.close(result.cause);
  await sink.close(nothing);
  const failure = failureOf(sink);
  if (nothing) {
    // Where targets failed their errors have said it all.
    if (result.report.failed().length === 0)
      log.warn('nothing was captured: no agent had begun when the capture ended');
    return exitCode(result, failure, config.strict);
  }
  for (const line of summaryLines(captureSummary(config, result, output, sink, elapsedMs))) log.warn(line);
  return exitCode(result, failure, config.strict);
}

/** The names of targets that join reach the output before they are captured. */
function withNames(follow: FollowChanges, output: Output): FollowChanges {
  return (emit, signal, started) => {
    const named = (change: TargetChange) => {
      if (change.type === 'added') output.addNames(change.names);
      emit(change);
    };
    return follow(named, signal, started);
  };
}

function findLocal(config: CaptureConfig): Found {
  const plan = planLocal(config.targets, config.namespace ?? 'default');
  return {
    plans: [plan],
    growing: false,
    seen: undefined,
    waiting: false,
    labels: new Map(plan.targets.map(({ key }) => [key, key])),
    refused: [],
    names: [],
    tellNames: undefined,
    close: () => {},
  };
}

async function findInCluster(config: CaptureConfig, log: Logger, signal: AbortSignal): Promise<Found> {
  // Loaded only here: --version, --help and --local do without the Kubernetes client.
  const { findTargets } = await import('./find-targets.ts');
  return findTargets(config, log, signal);
}

interface SignalListener {
  onSignal(handler: (count: number) => void): void;
  close(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Until a capture runs a signal aborts what is under way; then it is the capture's to end in order. */
function listenForSignals(early: () => void): SignalListener {
  let handler: (count: number) => void = early;
  let count = 0;
  const take = () => {
    count += 1;
    handler(count);
  };
  for (const signal of SIGNALS) process.on(signal, take);
  return {
    onSignal: (next) => {
      handler = next;
    },
    close: () => {
      for (const signal of SIGNALS) process.off(signal, take);
    },
  };
}
