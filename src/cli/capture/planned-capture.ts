import type { AboutConnection } from '../../analyze/connection-facts.ts';
import { analysisOutput } from '../../run/analysis/index.ts';
import type { CaptureConfig } from '../../run/capture/config.ts';
import type { CapturePlan } from '../../run/capture/plan.ts';
import { runCapture } from '../../run/capture/run.ts';
import type { OutputConfig } from '../../run/outputs/config.ts';
import { edgeRequest } from '../../run/outputs/edge.ts';
import { outputKind } from '../../run/outputs/index.ts';
import { openKept } from '../../run/outputs/kept.ts';
import { wantsColour } from '../../view/colour.ts';
import type { EdgeRequest } from '../../wire/agent-protocol.ts';
import type { ExitCode } from '../../wire/errors.ts';
import type { Logger } from '../logger.ts';
import { isTerminal } from '../terminal.ts';
import { boundBuffers } from './bound-buffers.ts';
import { hintAtEdge } from './edge-hint.ts';
import { analysedOnNodes, type EdgeChoice } from './edge-option.ts';
import { isTooMuch } from './edge-switch.ts';
import type { Stoppable } from './interruptible.ts';
import { announce, conclude } from './messages.ts';
import { CaptureProgress } from './progress.ts';

/** Makes the lookup of connections in the cluster's objects. @param started resolves when the capture is under way */
export type ConnectionLookup = (
  plan: CapturePlan,
  started: Promise<void>,
  signal: AbortSignal,
) => AboutConnection | undefined;

/** Where the packets are to be analysed in another attempt, because of what came of the one before. */
export type Again = 'on nodes' | 'here';

/** What is captured, and what becomes of it. */
export interface PlannedCapture {
  readonly config: CaptureConfig;
  readonly output: OutputConfig;
  /** Another file for the packets; undefined: none. */
  readonly keep: { readonly path: string; readonly force: boolean } | undefined;
  readonly lookup: ConnectionLookup | undefined;
  /** Whether agents analyse the packets; false also where the output is made of packets. */
  readonly edge: EdgeChoice;
  /** Why it is attempted again; undefined the first time. */
  readonly again: Again | undefined;
  /** Its packets go to stdout without having been asked for. */
  readonly binaryByDefault: boolean;
  readonly strict: boolean;
}

/**
 * Capture what was planned, from the notes of the plan to the closing summary.
 * @param stoppable is called when the capture runs: signals end it in order from then on; and without one when it was taken back
 * @returns the exit code, or how it is to be attempted again: then nothing was written
 * @throws KsnoopError INTERRUPTED where a signal comes between two attempts, and as runCapture has them
 */
export async function capturePlanned(
  plan: CapturePlan,
  { config: planned, output, keep, lookup, edge, again, binaryByDefault, strict }: PlannedCapture,
  signal: AbortSignal,
  { log, stoppable }: { readonly log: Logger; readonly stoppable: Stoppable },
): Promise<ExitCode | Again> {
  const nothing = announce(plan, log);
  if (nothing !== undefined) return nothing;
  const isOnNodes = analysedOnNodes(edge, plan, log);
  const request = isOnNodes || edge === 'many' ? await edgeOf(output) : undefined;
  const config = { ...planned, edge: isOnNodes ? request : undefined };
  const isTTY = isTerminal('stdout');
  const toTerminal = output.sink.kind === 'stdout' && isTTY;
  const presentation = {
    colour: wantsColour({ isTTY }, process.env),
    width: toTerminal ? process.stdout.columns : undefined,
  };
  const packets = keep === undefined ? undefined : keptIn(keep.path, keep.force);
  const started = Promise.withResolvers<void>();
  const about = lookup?.(plan, started.promise, signal);
  const progress = new CaptureProgress(log);
  const run = await runCapture(plan, config, {
    open: async (onProgress) => {
      const opened = await openKept({ output: { ...output, about }, packets }, presentation, onProgress, signal);
      if (opened.sink?.notice !== undefined) log.warn(opened.sink.notice);
      return opened;
    },
    observer: progress,
  });
  void run.running.connected.then(started.resolve);
  stoppable(run, log);
  if (binaryByDefault) log.info('stdout gets pcapng, which is binary; for lines add -o text');
  const release = boundBuffers();
  const mayChange = edge === 'many' && !isOnNodes && plan.asTenant !== true;
  // What only counts has written nothing yet. Targets that were picked would have to be picked again.
  const mayBegin = mayChange && request?.counts === true && planned.targets.length > 0;
  const isTakenBack = mayBegin && (await isTooMuch(run, log));
  if (isTakenBack) stoppable(undefined, log);
  else if (mayChange) void hintAtEdge(run.running, log);
  const outcome = await run.outcome;
  release();
  progress.close();
  if (isTakenBack) {
    signal.throwIfAborted();
    return 'on nodes';
  }
  if (again === 'on nodes' && outcome.summary === undefined && outcome.result.cause === 'targets-ended') {
    log.info('the packets cannot be analysed on their nodes: they come here');
    return 'here';
  }
  return conclude(outcome, strict, log);
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
