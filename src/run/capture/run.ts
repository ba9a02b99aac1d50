import {
  type CaptureResult,
  type CaptureTargets,
  type RunningCapture,
  startCapture,
} from '../../capture/streams/capture.ts';
import type { CaptureObserver } from '../../capture/streams/capture-observer.ts';
import { PeerTap } from '../../capture/streams/peer-tap.ts';
import { CaptureReport } from '../../capture/streams/report.ts';
import type { FollowChanges, TargetChange } from '../../capture/streams/target-change.ts';
import type { CaptureSummary } from '../../view/summary.ts';
import { joinFilters } from '../../wire/join-filters.ts';
import { DURATION_MAXIMUM_MS } from '../../wire/limits.ts';
import type { OpenOutput } from '../outputs/open.ts';
import type { Output } from '../outputs/output.ts';
import { failureOf } from '../sink/sink.ts';
import type { CaptureConfig } from './config.ts';
import type { CapturePlan } from './plan.ts';
import { PodKeyLogs } from './pod-key-logs.ts';
import { captureSummary } from './summary.ts';

/** What a capture runs with besides its plan and configuration. */
export interface CaptureSurroundings {
  /** Opens what the packets go to. @param onProgress to be called whenever bytes were written or no more can be */
  open(onProgress: () => void): Promise<OpenOutput>;
  /** Receives what happens to targets and streams. */
  readonly observer: CaptureObserver;
}

/** A capture under way, and how it ends. */
export interface CaptureRun {
  readonly running: RunningCapture;
  readonly report: CaptureReport;
  /** Resolves when everything is written and closed. */
  readonly outcome: Promise<CaptureOutcome>;
  /** End at once, and write nothing: as if nothing had been captured. */
  discard(): void;
}

/** What became of a capture. */
export interface CaptureOutcome {
  readonly result: CaptureResult;
  /** Why the output could not take everything; undefined when it did, or when its reader just went away. */
  readonly failure: Error | undefined;
  /** Undefined when no agent had begun to capture. */
  readonly summary: CaptureSummary | undefined;
}

/**
 * Capture what was planned into one output. The plan is closed at the end.
 * @throws what `open` throws, before anything is captured
 */
export async function runCapture(
  plan: CapturePlan,
  config: CaptureConfig,
  { open, observer }: CaptureSurroundings,
): Promise<CaptureRun> {
  const started = performance.now();
  let running: RunningCapture | undefined;
  let opened: OpenOutput;
  try {
    opened = await open(() => running?.outputProgress());
  } catch (thrown) {
    await plan.close();
    throw thrown;
  }
  const { output } = opened;
  output.addNames(plan.names);
  output.onNote = (sentence) => observer.note(sentence);
  const report = reportOf(plan);
  const podKeys = fetchKeys(plan, output, observer);
  const follow = plan.follow && withNames(plan.follow, output);
  const named = Promise.withResolvers<void>();
  const targets: CaptureTargets = {
    plans: plan.plans,
    waiting: plan.waiting,
    follow: follow && (podKeys?.with(follow) ?? follow),
    named: plan.followNames && named.promise,
  };
  const tapped = plan.seen === undefined ? output : new PeerTap(output, plan.seen);
  const capture = startCapture({
    targets,
    settings: settingsOf(config, plan),
    limits: config,
    output: tapped,
    report,
    observer,
  });
  running = capture;
  let isDiscarded = false;
  const discard = () => {
    isDiscarded = true;
    capture.stop('limit');
    capture.terminate();
  };
  const naming = new AbortController();
  void capture.connected.then(async () => {
    if (naming.signal.aborted) return;
    const { signal } = naming;
    await plan.followNames?.(signal, (names) => output.addNames(names), named.resolve, capture.started);
  });
  const outcome = capture.result.then(async (result) => {
    naming.abort();
    await podKeys?.close();
    const closed = plan.close();
    const elapsedMs = () => performance.now() - started;
    const outcome = await conclude(result, opened, elapsedMs, { isEdge: config.edge !== undefined, isDiscarded });
    const problem = await closed;
    if (problem !== undefined) observer.note(problem);
    return outcome;
  });
  return { running: capture, report, outcome, discard };
}

/** The keys that the output needs are fetched from the pods that are known, and later from those that join. */
function fetchKeys(
  { plans, cluster, kubes }: CapturePlan,
  { podKeys }: Output,
  observer: CaptureObserver,
): PodKeyLogs | undefined {
  if (podKeys === undefined) return undefined;
  const note = (sentence: string) => observer.note(sentence);
  const logs = new PodKeyLogs((name) => kubes?.get(name) ?? cluster?.kube, podKeys, note);
  for (const plan of plans) for (const target of plan.targets) logs.add(plan.cluster, target);
  return logs;
}

/** Every target that is known when the capture begins. */
function reportOf({ refused, labels }: CapturePlan): CaptureReport {
  const report = new CaptureReport();
  for (const { label, error } of refused) {
    const target = report.add(`refused:${label}`, label);
    target.state = 'failed';
    target.error = error;
  }
  for (const [key, label] of labels) report.add(key, label);
  return report;
}

function settingsOf(config: CaptureConfig, { growing, leaveOut, clusters }: CapturePlan) {
  return {
    interface: config.interface,
    filter: joinFilters(config.filter, undefined, leaveOut),
    snaplen: config.snaplen,
    maxDurationMs: DURATION_MAXIMUM_MS,
    follow: growing,
    correctClocks: config.correctClocks,
    mergeWindowMs: config.mergeWindowMs,
    mergeWindowLimitMs: config.mergeWindowLimitMs,
    state: config.state,
    edge: config.edge,
    namesClusters: clusters !== undefined,
  };
}

/** Write the end of the output, or take it away when nothing was captured, or nothing of it is wanted. */
async function conclude(
  result: CaptureResult,
  { output, sink }: OpenOutput,
  elapsedMs: () => number,
  { isEdge, isDiscarded }: { readonly isEdge: boolean; readonly isDiscarded: boolean },
): Promise<CaptureOutcome> {
  const nothing = isDiscarded || result.tally.interfaces.length === 0;
  if (!nothing) await output.close(result.cause);
  await sink?.close(nothing);
  const failure = sink && failureOf(sink);
  const summary = nothing ? undefined : captureSummary(result, { output, sink }, elapsedMs(), isEdge);
  return { result, failure, summary };
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
