import type { AboutConnection } from '../../analyze/connection-facts.ts';
import { FILE_WINDOW_MS, MERGE_WINDOW_LIMIT_MS } from '../../capture/limits.ts';
import type { AnalysisForm } from '../../run/analysis/form.ts';
import { analysisOutput } from '../../run/analysis/index.ts';
import { type CapturePlan, planCapture } from '../../run/capture/plan.ts';
import { type CaptureRun, runCapture } from '../../run/capture/run.ts';
import type { OutputConfig } from '../../run/outputs/config.ts';
import { edgeRequest } from '../../run/outputs/edge.ts';
import { analysedKind, outputKind } from '../../run/outputs/index.ts';
import { openKept } from '../../run/outputs/kept.ts';
import { wantsColour } from '../../view/colour.ts';
import type { EdgeRequest } from '../../wire/agent-protocol.ts';
import { type ExitCode, KsnoopError } from '../../wire/errors.ts';
import { type Logger, logger } from '../logger.ts';
import { onStopSignals } from '../signals.ts';
import { isTerminal } from '../terminal.ts';
import { boundBuffers } from './bound-buffers.ts';
import { hintAtEdge } from './edge-hint.ts';
import { analysedOnNodes } from './edge-option.ts';
import { announce, conclude } from './messages.ts';
import { type CaptureCommand, completeCapture, type RawCaptureOptions } from './options.ts';
import { pickOnTerminal } from './pick-target.ts';
import { CaptureProgress } from './progress.ts';

/** Makes the lookup of connections in the cluster's objects. @param started resolves when the capture is under way */
export type ConnectionLookup = (
  plan: CapturePlan,
  started: Promise<void>,
  signal: AbortSignal,
) => AboutConnection | undefined;

/** What other commands that capture add to it. */
export interface CaptureExtras {
  readonly lookup?: ConnectionLookup | undefined;
  /** How long a packet waits for an earlier one of another interface; undefined: as every capture does. */
  readonly mergeWindowMs?: number | undefined;
  /** A file that the packets are kept in, besides the output's own. */
  readonly keep?: string | undefined;
  /** A form of analysis that no `-o` names, in place of the output. */
  readonly form?: AnalysisForm | undefined;
}

/** `ksnoop [capture] TARGET…`: everything between the command line and the exit code. */
export async function captureCommand(
  targets: readonly string[],
  raw: RawCaptureOptions,
  extras: CaptureExtras = {},
): Promise<ExitCode> {
  const canAsk = isTerminal('stdin') && isTerminal('stderr');
  const command = completeCapture(targets, raw, { stdoutIsTerminal: isTerminal('stdout'), canAsk });
  const log = logger(command);
  if (command.dryRun === undefined) return capture(command, log, canAsk, { ...extras, force: raw.force === true });
  const { dryRunCommand } = await import('./dry-run.ts');
  return interruptible((signal) => dryRunCommand(command, log, signal));
}

async function capture(
  command: CaptureCommand,
  log: Logger,
  canAsk: boolean,
  { lookup, mergeWindowMs: windowMs, keep, form, force }: CaptureExtras & { readonly force: boolean },
): Promise<ExitCode> {
  const chosen = form === undefined ? command.output : { ...command.output, output: analysedKind(form) };
  const output = await withTyped(chosen);
  // Lines on a screen are to come at once; packets, and traces, which wait anyway, rather in order.
  const { binary } = output.output;
  const mergeWindowLimitMs = binary || windowMs !== undefined ? MERGE_WINDOW_LIMIT_MS : undefined;
  const mergeWindowMs = binary && output.sink.kind === 'file' ? FILE_WINDOW_MS : windowMs;
  const wanted = { ...command.capture, mergeWindowMs, mergeWindowLimitMs };
  const isTTY = isTerminal('stdout');
  const toTerminal = output.sink.kind === 'stdout' && isTTY;
  const presentation = {
    colour: wantsColour({ isTTY }, process.env),
    width: toTerminal ? process.stdout.columns : undefined,
  };
  const progress = new CaptureProgress(log);
  return interruptible(async (signal, stoppable) => {
    const plan = await planCapture(wanted, signal, canAsk ? pickOnTerminal : undefined);
    const nothing = announce(plan, log);
    if (nothing !== undefined) return nothing;
    // Commands with a form, a file or a lookup of their own have no --edge: these are made of the packets.
    const needsPackets = form !== undefined || keep !== undefined || lookup !== undefined;
    const choice = !needsPackets && command.edge;
    const config = { ...wanted, edge: analysedOnNodes(choice, plan, log) ? await edgeOf(command.output) : undefined };
    const packets = keep === undefined ? undefined : keptIn(keep, force);
    const started = Promise.withResolvers<void>();
    const about = lookup?.(plan, started.promise, signal);
    const run = await runCapture(plan, config, {
      open: async (onProgress) => {
        const opened = await openKept({ output: { ...output, about }, packets }, presentation, onProgress, signal);
        if (opened.sink?.notice !== undefined) log.warn(opened.sink.notice);
        return opened;
      },
      observer: progress,
    });
    void run.running.connected.then(started.resolve);
    if (choice === 'many' && config.edge === undefined && plan.asTenant !== true) void hintAtEdge(run.running, log);
    stoppable(run, log);
    if (command.binaryByDefault) log.info('stdout gets pcapng, which is binary; for lines add -o text');
    const release = boundBuffers();
    const outcome = await run.outcome;
    release();
    progress.close();
    return conclude(outcome, command.strict, log);
  });
}

/** With the command as it was typed, for a report. Packets as they are show none: they start without the code of the masks. */
async function withTyped(output: OutputConfig): Promise<OutputConfig> {
  if (output.output.binary) return output;
  const { typedCommand } = await import('../typed-command.ts');
  return { ...output, command: () => typedCommand(process.argv.slice(2), output.showSecrets) };
}

/** What the agents have to look at for an output. */
async function edgeOf({ output, where, showSecrets }: OutputConfig): Promise<EdgeRequest | undefined> {
  const form = analysisOutput(output.name);
  return form === undefined ? undefined : edgeRequest(await form.load(), { where, showSecrets });
}

/** A pcapng file with all that is captured. */
function keptIn(path: string, force: boolean): OutputConfig | undefined {
  const output = outputKind('pcapng');
  if (output === undefined) return undefined;
  const form = { json: false, where: undefined, showSecrets: false, utc: false, verbose: false };
  return { output, sink: { kind: 'file', path }, rotation: undefined, force, ...form };
}

/**
 * Until a capture runs a signal aborts what is under way; from then on the first one ends the capture in order, and the
 * second one at once.
 */
export async function interruptible(
  act: (signal: AbortSignal, stoppable: (run: CaptureRun, log: Logger) => void) => Promise<ExitCode>,
): Promise<ExitCode> {
  const abort = new AbortController();
  let handle = (_count: number) =>
    abort.abort(new KsnoopError('INTERRUPTED', 'Interrupted before anything was captured.'));
  const release = onStopSignals((count) => handle(count));
  try {
    return await act(abort.signal, ({ running }, log) => {
      handle = (count) => {
        if (count > 1) running.terminate();
        else {
          log.info('Stopping… press Ctrl-C again to quit now');
          running.stop('user');
        }
      };
    });
  } finally {
    release();
  }
}
