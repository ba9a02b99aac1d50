import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentTarget } from '../../wire/agent-target.ts';
import { DRAIN_MS, FIRST_PACKETS_MS, MERGE_WINDOW_MS, NAMES_WAIT_MS, OUTPUT_BYTES } from '../limits.ts';
import type { CaptureObserver } from './capture-observer.ts';
import { type BlockSink, Merge } from './merge.ts';
import { clockNotes, type NodeClock } from './node-clock.ts';
import { type CaptureSettings, type NodeAccess, type NodePlan, NodeStream } from './node-stream.ts';
import type { CaptureReport } from './report.ts';
import { Tally } from './tally.ts';
import type { FollowChanges, TargetChange } from './target-change.ts';

/** Where a capture's blocks end up: a file, a pipe, lines on a terminal. */
export interface CaptureOutput extends BlockSink {
  /** Bytes taken and not yet written: the measure for back-pressure. */
  readonly pending: number;
  /** Nothing more can be written (the reader went away, the disk is full). */
  readonly ended: boolean;
  /** Hand on what was gathered. */
  flush(): void;
}

/** What ends a capture besides its targets. */
export interface CaptureLimits {
  readonly packets: number;
  readonly bytes: number;
  /** Counted from the first target that is captured. */
  readonly durationMs: number;
}

export type StopCause = 'user' | 'duration' | 'limit' | 'output-ended' | 'targets-ended';

export interface CaptureResult {
  readonly report: CaptureReport;
  readonly tally: Tally;
  readonly late: number;
  /** What to say of the nodes' clocks. */
  readonly clockNotes: readonly string[];
  readonly cause: StopCause;
  /** Agents were cut off because their last packets did not come within DRAIN_MS. */
  readonly cutOff: boolean;
}

/** A capture under way. */
export interface RunningCapture {
  /** What has come so far, and what is known of the nodes' clocks. */
  readonly tally: Tally;
  readonly clocks: ReadonlyMap<string, NodeClock>;
  /** How a node's agent is connected, now; undefined when it is not. */
  transportOf(node: string): string | undefined;
  /** Resolves when an agent is connected, or when that takes long: it is now busy with its start, and others may be asked. */
  readonly connected: Promise<void>;
  /** Resolves when the first targets are captured, or when that takes long: what they do not need can be asked from then on. */
  readonly started: Promise<void>;
  readonly result: Promise<CaptureResult>;
  /** End in good order: what was captured still comes. */
  stop(cause: StopCause): void;
  /** Break off at once. */
  terminate(): void;
  /** The output has taken bytes, or has ended. */
  outputProgress(): void;
}

/** How often waiting packets are looked after. */
const TICK_MS = 20;

/** What is captured, to begin with and from then on. */
export interface CaptureTargets {
  readonly plans: readonly NodePlan[];
  /** Tells how the targets change while the capture runs; without it they are those of the plans. */
  readonly follow?: FollowChanges | undefined;
  /** Resolves when addresses have the names that are known by now: the first packets wait for that, but never for long. */
  readonly named?: Promise<void> | undefined;
}

/**
 * Capture the targets into one output, in time order.
 * @param report must hold every target of the plans; those that join are added
 */
export function startCapture(
  { plans, follow, named }: CaptureTargets,
  settings: CaptureSettings,
  limits: CaptureLimits,
  output: CaptureOutput,
  report: CaptureReport,
  observer: CaptureObserver,
): RunningCapture {
  let cause: StopCause | undefined;
  let paused = false;
  let cutOff = false;
  let drain: NodeJS.Timeout | undefined;
  let duration: NodeJS.Timeout | undefined;
  const tally = new Tally(output, limits, () => stop('limit'));
  const sink: BlockSink = {
    addInterface: (...block) => tally.addInterface(...block),
    write: (...block) => {
      tally.write(...block);
      lookAtOutput();
    },
  };
  const merge = new Merge(sink, undefined, settings.correctClocks);
  /** The time that was asked for is one of capturing, so it begins with the first target. */
  const onStarted = () => {
    if (Number.isFinite(limits.durationMs)) duration ??= setTimeout(() => stop('duration'), limits.durationMs);
  };
  const oneReached = Promise.withResolvers<void>();
  const allStarted = Promise.withResolvers<void>();
  const isWaiting = ({ targets }: NodePlan) => targets.some(({ key }) => report.targets.get(key)?.state === 'waiting');
  const soon = sleep(FIRST_PACKETS_MS, undefined, { ref: false });
  const connected = Promise.race([oneReached.promise, soon]);
  const started = Promise.race([allStarted.promise, soon]);
  const sessionId = () => randomBytes(16).toString('hex');
  const context = { settings, merge, report, observer, sessionId, onStarted };
  const streams = new Map<string, NodeStream>();
  const finished = Promise.withResolvers<void>();
  const following = new AbortController();

  /** One stream per node carries all its targets. */
  function open(plan: NodePlan, late: boolean): void {
    const stream = new NodeStream(plan, context, late);
    streams.set(plan.node, stream);
    if (paused) stream.pause();
    void stream.run().then(() => {
      if (streams.get(plan.node) === stream) streams.delete(plan.node);
      endIfDone();
    });
  }

  function endIfDone(): void {
    if (streams.size > 0) return;
    // What joins would fail as all of them did.
    const hopeless = report.targets.size > 0 && report.failed().length === report.targets.size;
    if (cause !== undefined || !settings.follow || hopeless) finished.resolve();
  }

  function change(event: TargetChange): void {
    if (cause !== undefined) return;
    switch (event.type) {
      case 'added':
        join(event.node, event.target, event.label);
        return;
      case 'gone':
        for (const stream of streams.values()) stream.remove(event.key);
        return;
      case 'refused': {
        const target = report.add(`refused:${event.label}`, event.label, new Date());
        target.state = 'failed';
        target.error = event.error;
        observer.failed(target.key, target.label, event.error);
        return;
      }
      case 'note':
        observer.note(event.message);
    }
  }

  function join(node: NodeAccess, target: AgentTarget, label: string): void {
    if (!report.targets.has(target.key)) report.add(target.key, label, new Date());
    const stream = streams.get(node.node);
    if (stream === undefined) open({ ...node, targets: [target] }, true);
    else stream.add(target);
  }

  function stop(why: StopCause): void {
    if (cause !== undefined) return;
    cause = why;
    following.abort();
    // Nobody wants the packets under way any more; they are read and thrown away so that the agents end in order.
    if (paused && (why === 'output-ended' || why === 'limit')) resume();
    for (const stream of streams.values()) stream.stop();
    drain ??= setTimeout(terminate, DRAIN_MS);
    endIfDone();
  }

  function terminate(): void {
    cutOff = true;
    for (const stream of streams.values()) stream.terminate();
  }

  function lookAtOutput(): void {
    if (output.ended) {
      stop('output-ended');
    } else if (!paused && cause !== 'limit' && output.pending > OUTPUT_BYTES) {
      paused = true;
      for (const stream of streams.values()) stream.pause();
    }
  }

  function resume(): void {
    paused = false;
    for (const stream of streams.values()) stream.resume();
  }

  const tick = setInterval(
    () => {
      merge.release();
      output.flush();
      if (cause !== undefined || [...streams.values()].some(({ way }) => way !== undefined)) oneReached.resolve();
      if (cause !== undefined || !plans.some(isWaiting)) allStarted.resolve();
    },
    Math.min(TICK_MS, MERGE_WINDOW_MS),
  );
  for (const plan of plans) open(plan, false);
  if (plans.length === 0) endIfDone();
  void follow?.(change, following.signal, started);
  if (named !== undefined) void waitForNames(merge, named, started);
  const result = finished.promise.then((): CaptureResult => {
    following.abort();
    merge.flush();
    output.flush();
    clearInterval(tick);
    clearTimeout(duration);
    clearTimeout(drain);
    const notes = clockNotes(merge.clocks, settings.correctClocks);
    return { report, tally, late: merge.late, clockNotes: notes, cause: cause ?? 'targets-ended', cutOff };
  });

  return {
    tally,
    clocks: merge.clocks,
    transportOf: (node) => streams.get(node)?.way,
    connected,
    started,
    result,
    stop,
    terminate,
    outputProgress: () => {
      if (output.ended) stop('output-ended');
      else if (paused && output.pending < OUTPUT_BYTES / 2) resume();
    },
  };
}

/** Packets stay in the merge until the names of their addresses have been told, or were waited for long enough. */
async function waitForNames(merge: Merge, named: Promise<void>, started: Promise<void>): Promise<void> {
  merge.held = true;
  await Promise.race([named, started.then(() => sleep(NAMES_WAIT_MS, undefined, { ref: false }))]);
  merge.held = false;
}
