import { randomBytes } from 'node:crypto';
import { DRAIN_MS, MERGE_WINDOW_MS, OUTPUT_BYTES } from './limits.ts';
import { type BlockSink, Merge } from './merge.ts';
import { type CaptureObserver, type CaptureSettings, type NodePlan, NodeStream } from './node-stream.ts';
import type { CaptureReport } from './report.ts';
import { Tally } from './tally.ts';

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
  readonly cause: StopCause;
  /** Agents were cut off because their last packets did not come within DRAIN_MS. */
  readonly cutOff: boolean;
}

/** A capture under way. */
export interface RunningCapture {
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

/**
 * Capture the targets of all plans into one output, in time order.
 * @param report must hold every target of the plans
 */
export function startCapture(
  plans: readonly NodePlan[],
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
  const merge = new Merge({
    addInterface: (...block) => tally.addInterface(...block),
    write: (...block) => {
      tally.write(...block);
      lookAtOutput();
    },
  });
  // The time that was asked for is one of capturing, so it begins with the first target.
  const watched: CaptureObserver = {
    ...observer,
    started: (...target) => {
      if (Number.isFinite(limits.durationMs)) duration ??= setTimeout(() => stop('duration'), limits.durationMs);
      observer.started(...target);
    },
  };
  const streams = plans.map(
    (plan) => new NodeStream(plan, settings, merge, report, watched, () => randomBytes(16).toString('hex')),
  );

  function stop(why: StopCause): void {
    if (cause !== undefined) return;
    cause = why;
    if (why === 'output-ended' || why === 'limit') terminateOrDrain(0);
    for (const stream of streams) stream.stop();
    drain ??= setTimeout(() => terminateOrDrain(1), DRAIN_MS);
  }

  function terminateOrDrain(step: 0 | 1): void {
    if (step === 0) {
      // Nobody wants the packets under way any more; they are read and thrown away so that the agent ends in order.
      if (paused) resume();
      return;
    }
    cutOff = true;
    for (const stream of streams) stream.terminate();
  }

  function lookAtOutput(): void {
    if (output.ended) {
      stop('output-ended');
    } else if (!paused && cause !== 'limit' && output.pending > OUTPUT_BYTES) {
      paused = true;
      for (const stream of streams) stream.pause();
    }
  }

  function resume(): void {
    paused = false;
    for (const stream of streams) stream.resume();
  }

  const tick = setInterval(
    () => {
      merge.release();
      output.flush();
    },
    Math.min(TICK_MS, MERGE_WINDOW_MS),
  );
  const result = Promise.all(streams.map((stream) => stream.run())).then((): CaptureResult => {
    merge.flush();
    output.flush();
    clearInterval(tick);
    clearTimeout(duration);
    clearTimeout(drain);
    return { report, tally, late: merge.late, cause: cause ?? 'targets-ended', cutOff };
  });

  return {
    result,
    stop,
    terminate: () => terminateOrDrain(1),
    outputProgress: () => {
      if (output.ended) stop('output-ended');
      else if (paused && output.pending < OUTPUT_BYTES / 2) resume();
    },
  };
}
