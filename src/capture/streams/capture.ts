import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentTarget } from '../../wire/agent-target.ts';
import type { KsnoopError } from '../../wire/errors.ts';
import {
  DRAIN_MS,
  EDGE_WINDOW_MS,
  FIRST_PACKETS_MS,
  MERGE_WINDOW_MS,
  NAMES_WAIT_MS,
  OUTPUT_BYTES,
  SETTLED_MS,
} from '../limits.ts';
import type { CaptureObserver } from './capture-observer.ts';
import { LoneNode } from './lone-node.ts';
import { type BlockSink, Merge } from './merge.ts';
import { MergeWait } from './merge-wait.ts';
import { type ClockEstimate, clockNotes } from './node-clock.ts';
import { nodeKey, nodeLabels } from './node-ref.ts';
import {
  type CaptureSettings,
  type NodeAccess,
  type NodePlan,
  NodeStream,
  type NodeStreamContext,
} from './node-stream.ts';
import type { CaptureReport, Gap } from './report.ts';
import { Tally } from './tally.ts';
import type { FollowChanges, TargetChange } from './target-change.ts';

/** Where a capture's blocks end up: a file, a pipe, lines on a terminal. */
export interface CaptureOutput extends BlockSink {
  /** Bytes taken and not yet written: the measure for back-pressure. */
  readonly pending: number;
  /** Nothing more can be written (the reader went away, the disk is full). */
  readonly ended: boolean;
  /** Write what was gathered. */
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
  /** Bytes of the agents' streams, as they were before the connection compressed them. */
  readonly streamBytes: number;
  /** For people: differences between the nodes' clocks. */
  readonly clockNotes: readonly string[];
  readonly cause: StopCause;
  /** Agents were cut off because their last packets did not come within DRAIN_MS. */
  readonly cutOff: boolean;
}

/** A node of a running capture. */
export interface CapturedNode {
  /** Its name for people; with its cluster when the capture has several. */
  readonly label: string;
  /** How its agent is connected: `exec`, `port-forward`; undefined when it is not. */
  readonly transport: string | undefined;
  /** How far its clock is ahead of this machine's; undefined when not known yet. */
  readonly clock: ClockEstimate | undefined;
  readonly gaps: readonly Gap[];
}

/** A capture under way. */
export interface RunningCapture {
  /** What was written so far. */
  readonly tally: Tally;
  /** Bytes of the agents' streams so far, as CaptureResult.streamBytes. */
  readonly received: number;
  /** It was asked to end. */
  readonly isStopping: boolean;
  /** The nodes from which streams were opened, as they are at the moment. */
  nodes(): CapturedNode[];
  /** Resolves when the way to an agent is open, or after FIRST_PACKETS_MS: other requests no longer delay it. */
  readonly connected: Promise<void>;
  /**
   * Resolves when all first targets are captured and a packet has left, or none has for SETTLED_MS, or after FIRST_PACKETS_MS: requests
   * that the first packets do not need may start.
   */
  readonly started: Promise<void>;
  readonly result: Promise<CaptureResult>;
  /** End in good order: what was captured still comes. */
  stop(cause: StopCause): void;
  /** End at once; packets under way are lost. */
  terminate(): void;
  /** The output has taken bytes, or has ended. */
  outputProgress(): void;
}

/** How often waiting packets are released. */
const TICK_MS = 20;

/** What is captured, first and later. */
export interface CaptureTargets {
  readonly plans: readonly NodePlan[];
  /** Whether an object has no pods yet: those that come may be captured where others could not. */
  readonly waiting?: boolean | undefined;
  /** Emits how the targets change while the capture runs; left out: the targets are those of the plans. */
  readonly follow?: FollowChanges | undefined;
  /** Resolves when the names that are known by now have been added: the first packets wait for it, NAMES_WAIT_MS at most. */
  readonly named?: Promise<void> | undefined;
}

/** What a capture works with. */
export interface CaptureParts {
  readonly targets: CaptureTargets;
  readonly settings: CaptureSettings;
  readonly limits: CaptureLimits;
  readonly output: CaptureOutput;
  /** Must hold every target of the plans; targets that join are added. */
  readonly report: CaptureReport;
  readonly observer: CaptureObserver;
}

/** Capture the targets into one output, in time order. */
export function startCapture(parts: CaptureParts): RunningCapture {
  return new Capture(parts);
}

class Capture implements RunningCapture {
  readonly tally: Tally;
  readonly connected: Promise<void>;
  readonly started: Promise<void>;
  readonly result: Promise<CaptureResult>;
  readonly #parts: CaptureParts;
  readonly #merge: Merge;
  /** One per node, with all its targets, by `nodeKey`. */
  readonly #streams = new Map<string, NodeStream>();
  readonly #lone: LoneNode;
  readonly #context: NodeStreamContext;
  readonly #following = new AbortController();
  readonly #oneReached = Promise.withResolvers<void>();
  readonly #allStarted = Promise.withResolvers<void>();
  /** Packets have left. */
  readonly #hasBegun = Promise.withResolvers<void>();
  readonly #finished = Promise.withResolvers<void>();
  #tick: NodeJS.Timeout | undefined;
  #duration: NodeJS.Timeout | undefined;
  #drain: NodeJS.Timeout | undefined;
  #cause: StopCause | undefined;
  #paused = false;
  #cutOff = false;
  /** Nothing has left since the last tick. */
  #isQuiet = true;

  constructor(parts: CaptureParts) {
    const { targets, settings, limits, output, report, observer } = parts;
    this.#parts = parts;
    this.#lone = new LoneNode(targets.plans.map(nodeKey));
    this.tally = new Tally(output, limits, () => this.stop('limit'));
    const least = settings.mergeWindowMs ?? (settings.edge === undefined ? undefined : EDGE_WINDOW_MS);
    const wait = new MergeWait(least, settings.mergeWindowLimitMs);
    this.#merge = new Merge(this.#sink(), undefined, settings.correctClocks, wait);
    this.#context = {
      settings,
      merge: this.#merge,
      report,
      observer,
      sessionId: () => randomBytes(16).toString('hex'),
      onReached: () => this.#oneReached.resolve(),
      onStarted: () => this.#onStarted(),
      isAlone: () => this.#lone.isAlone,
    };
    const soon = sleep(FIRST_PACKETS_MS, undefined, { ref: false });
    const captured = Promise.race([this.#allStarted.promise, soon]);
    this.connected = Promise.race([this.#oneReached.promise, soon]);
    const settled = () => Promise.race([this.#hasBegun.promise, sleep(SETTLED_MS, undefined, { ref: false })]);
    this.started = Promise.race([this.#allStarted.promise.then(settled), soon]);
    this.result = this.#finished.promise.then(() => this.#conclude());
    this.#start(targets, captured);
  }

  get received(): number {
    return this.#merge.received;
  }

  get isStopping(): boolean {
    return this.#cause !== undefined;
  }

  nodes(): CapturedNode[] {
    const clocks = [...this.#merge.clocks];
    const labels = nodeLabels(clocks.map(([, ref]) => ref));
    const { gaps } = this.#parts.report;
    return clocks.map(([key, { clock }]) => ({
      label: labels.get(key) ?? key,
      transport: this.#streams.get(key)?.transport,
      clock: clock.estimate,
      gaps: gaps.filter((gap) => nodeKey(gap) === key),
    }));
  }

  stop(cause: StopCause): void {
    if (this.#cause !== undefined) return;
    this.#cause = cause;
    this.#following.abort();
    // The packets under way are not wanted any more; they are read and discarded so that the agents end in order.
    if (this.#paused && (cause === 'output-ended' || cause === 'limit')) this.#resume();
    for (const stream of this.#streams.values()) stream.stop();
    this.#drain ??= setTimeout(() => this.terminate(), DRAIN_MS);
    this.#finishIfDone();
  }

  terminate(): void {
    this.#cutOff = true;
    for (const stream of this.#streams.values()) stream.terminate();
  }

  outputProgress(): void {
    const { output } = this.#parts;
    if (output.ended) this.stop('output-ended');
    else if (this.#paused && output.pending < OUTPUT_BYTES / 2) this.#resume();
  }

  /** From the merge to the output; the output's state is checked after every block. */
  #sink(): BlockSink {
    return {
      addInterface: (...block) => this.tally.addInterface(...block),
      write: (...block) => {
        this.tally.write(...block);
        if (this.#isQuiet) this.#flushSoon();
        this.#checkOutput();
      },
    };
  }

  /** @param captured resolves when all first targets are captured, or after FIRST_PACKETS_MS */
  #start({ plans, follow, named }: CaptureTargets, captured: Promise<void>): void {
    this.#tick = setInterval(() => this.#onTick(), Math.min(TICK_MS, MERGE_WINDOW_MS));
    for (const plan of plans) this.#open(plan, false);
    if (plans.length === 0) {
      this.#finishIfDone();
      // There is no pod yet: a script that gave a duration is not to wait for one for ever.
      this.#startDuration();
    }
    void follow?.((change) => this.#change(change), this.#following.signal, this.started);
    if (named !== undefined) void waitForNames(this.#merge, named, captured);
  }

  #onTick(): void {
    this.#merge.release();
    this.#parts.output.flush();
    this.#isQuiet = true;
    if (this.#noneCanBeCaptured()) this.stop('targets-ended');
    const isStopping = this.#cause !== undefined;
    if (isStopping) this.#oneReached.resolve();
    const isWaiting = this.#isWaiting();
    if (isStopping || !isWaiting) this.#allStarted.resolve();
    // None may be left: agents that follow then wait for further targets.
    if (!isStopping && !isWaiting) this.#startDuration();
  }

  /**
   * All targets have failed, and none was ever captured: one that joins would fail as all of them did. Where one was captured,
   * its successor can be captured as well, so a capture that follows waits for it.
   */
  #noneCanBeCaptured(): boolean {
    const { targets } = this.#parts.report;
    if (targets.size === 0 || this.#parts.targets.waiting === true) return false;
    for (const { state, interfaces } of targets.values()) if (state !== 'failed' || interfaces.size > 0) return false;
    return true;
  }

  #onStarted(): void {
    this.#startDuration();
    if (!this.#isWaiting()) this.#allStarted.resolve();
  }

  /** After a quiet tick packets leave with those that came together with them; under load they are gathered until the next tick. */
  #flushSoon(): void {
    this.#isQuiet = false;
    setImmediate(() => {
      this.#parts.output.flush();
      this.#hasBegun.resolve();
    });
  }

  /** Whether a first target is neither captured nor failed yet. */
  #isWaiting(): boolean {
    const { targets, report } = this.#parts;
    return targets.plans.some((plan) => plan.targets.some(({ key }) => report.targets.get(key)?.state === 'waiting'));
  }

  /** The duration is one of capturing, so it begins with the first target, or when there is none at all or none is left. */
  #startDuration(): void {
    const { durationMs } = this.#parts.limits;
    if (Number.isFinite(durationMs)) this.#duration ??= setTimeout(() => this.stop('duration'), durationMs);
  }

  #open(plan: NodePlan, late: boolean): void {
    const stream = new NodeStream(plan, this.#context, late);
    const key = nodeKey(plan);
    this.#streams.set(key, stream);
    if (this.#paused) stream.pause();
    const others = () => [...this.#streams.values()].filter((other) => other !== stream);
    const addsUp = this.#parts.settings.edge?.counts === true;
    const ready = this.#lone.join(key, () => (addsUp ? others().map((other) => other.notAlone()) : []));
    void stream.run(ready).then(() => {
      if (this.#streams.get(key) === stream) this.#streams.delete(key);
      this.#finishIfDone();
    });
  }

  #change(change: TargetChange): void {
    if (this.#cause !== undefined) return;
    switch (change.type) {
      case 'added':
        this.#join(change.node, change.target, change.label);
        return;
      case 'gone':
        for (const stream of this.#streams.values()) stream.remove(change.key);
        return;
      case 'refused':
        this.#refuse(change.label, change.error);
        return;
      case 'note':
        this.#parts.observer.note(change.message);
        return;
      case 'ended':
        this.#parts.observer.note(change.message);
        this.stop('targets-ended');
    }
  }

  #join(node: NodeAccess, target: AgentTarget, label: string): void {
    const { report } = this.#parts;
    if (!report.targets.has(target.key)) report.add(target.key, label, new Date());
    const stream = this.#streams.get(nodeKey(node));
    if (stream === undefined) this.#open({ ...node, targets: [target] }, true);
    else stream.add(target);
  }

  #refuse(label: string, error: KsnoopError): void {
    const { report, observer } = this.#parts;
    const target = report.add(`refused:${label}`, label, new Date());
    target.state = 'failed';
    target.error = error;
    observer.failed(target.key, target.label, error);
  }

  #finishIfDone(): void {
    if (this.#streams.size > 0) return;
    const { targets, report, settings } = this.#parts;
    // A target that joins would fail as all of them did.
    const allFailed =
      targets.waiting !== true && report.targets.size > 0 && report.failed().length === report.targets.size;
    if (this.#cause !== undefined || !settings.follow || allFailed) this.#finished.resolve();
  }

  #checkOutput(): void {
    const { output } = this.#parts;
    if (output.ended) {
      this.stop('output-ended');
    } else if (!this.#paused && this.#cause !== 'limit' && output.pending > OUTPUT_BYTES) {
      this.#paused = true;
      for (const stream of this.#streams.values()) stream.pause();
    }
  }

  #resume(): void {
    this.#paused = false;
    for (const stream of this.#streams.values()) stream.resume();
  }

  #conclude(): CaptureResult {
    const { output, report, settings } = this.#parts;
    this.#following.abort();
    this.#merge.flush();
    output.flush();
    clearInterval(this.#tick);
    clearTimeout(this.#duration);
    clearTimeout(this.#drain);
    return {
      report,
      tally: this.tally,
      late: this.#merge.late,
      streamBytes: this.#merge.received,
      clockNotes: clockNotes([...this.#merge.clocks.values()], settings.correctClocks),
      cause: this.#cause ?? 'targets-ended',
      cutOff: this.#cutOff,
    };
  }
}

/** Packets stay in the merge until the names of their addresses are known, or NAMES_WAIT_MS after all targets started. */
async function waitForNames(merge: Merge, named: Promise<void>, started: Promise<void>): Promise<void> {
  merge.held = true;
  await Promise.race([named, started.then(() => sleep(NAMES_WAIT_MS, undefined, { ref: false }))]);
  merge.held = false;
  merge.release();
}
