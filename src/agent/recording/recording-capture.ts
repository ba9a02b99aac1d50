import { randomBytes } from 'node:crypto';
import type { Writable } from 'node:stream';
import type { AgentEvent, CaptureRequest, InterfaceCounters } from '../../wire/agent-protocol.ts';
import type { AgentTarget } from '../../wire/agent-target.ts';
import { Waiters } from '../../wire/batches.ts';
import { STATISTICS_INTERVAL_MS } from '../../wire/limits.ts';
import type { RecordedPod, RecordingOrder, RecordingPod } from '../../wire/recording.ts';
import { PROTOCOL_TEXT } from '../../wire/version.ts';
import {
  CAPTURE_MEMORY,
  LIFE_CHECK_MS,
  RECORDING_PODS_MS,
  RECORDING_RETRY_MS,
  RECORDING_SPOOL_BYTES,
} from '../limits.ts';
import { Proc } from '../netns/proc.ts';
import { type CaptureOwner, captureEntry } from '../session/capture-entry.ts';
import { CaptureSet } from '../session/capture-set.ts';
import { ContainerLog } from '../session/container-log.ts';
import type { Resources } from '../session/resources.ts';
import { TargetEvents } from '../session/target-events.ts';
import { type MemoryShare, noMemory } from '../spool/memory-budget.ts';
import { Spool } from '../spool/spool.ts';

export interface RecordingCaptureOptions {
  readonly order: Pick<RecordingOrder, 'filter' | 'snaplen'>;
  readonly owner: CaptureOwner;
  readonly resources: Resources;
  /** Takes the blocks, whole. */
  readonly sink: Writable;
  /** What is captured for a pod. */
  readonly targetOf: (pod: RecordingPod) => AgentTarget;
}

/** A pod as it will be captured: found by its UID, and waited for. */
export function recordingTarget({ namespace, name, uid, hostNetwork }: RecordingPod): AgentTarget {
  return { kind: 'pod', key: uid, namespace, pod: name, uid, containers: [], hostNetwork, wait: true };
}

interface PodCapture {
  readonly capturing: boolean;
  /** Waited for: it may begin at any time. */
  readonly waits: boolean;
  readonly message: string | undefined;
  /** When it was last tried, as performance.now() has it. */
  readonly at: number;
}

/** The captures of a recording's pods, which come and go while it runs. */
export class RecordingCapture {
  readonly #options: RecordingCaptureOptions;
  readonly #memory: MemoryShare;
  readonly #spool: Spool;
  readonly #set: CaptureSet;
  readonly #pods = new Map<string, PodCapture>();
  /** Of each interface, by its number. */
  readonly #counters = new Map<number, InterfaceCounters>();
  readonly #settled = new Waiters();
  readonly #timers: NodeJS.Timeout[] = [];
  #leave = () => {};
  #interfaces = 0;

  constructor(options: RecordingCaptureOptions) {
    const { order, owner, resources, sink } = options;
    this.#options = options;
    this.#memory = resources.memory.open();
    this.#spool = new Spool(sink, { bound: RECORDING_SPOOL_BYTES, memory: this.#memory });
    const proc = new Proc();
    const session = randomBytes(16).toString('hex');
    const log = new ContainerLog(proc, session, resources.log);
    const request: CaptureRequest = {
      type: 'capture',
      protocol: PROTOCOL_TEXT,
      session,
      targets: [],
      interface: 'any',
      ...(order.filter !== '' && { filter: order.filter }),
      snaplen: order.snaplen,
      maxDurationMs: Number.MAX_SAFE_INTEGER,
      follow: true,
      state: true,
    };
    this.#set = new CaptureSet({
      request,
      spool: this.#spool,
      proc,
      targetEvents: new TargetEvents({ send: (event) => this.#event(event) }),
      rings: resources.rings,
      memory: resources.memory,
      kills: () => resources.kills(),
      handlers: {
        nextInterface: () => {
          this.#interfaces += 1;
          return this.#interfaces - 1;
        },
        captured: (capture) => log.write(captureEntry(capture, request, owner)),
        empty: () => {},
      },
    });
  }

  /** Packets that the kernel or this agent has dropped. */
  get dropped(): number {
    let sum = 0;
    for (const { droppedByKernel, droppedByKsnoop } of this.#counters.values())
      sum += droppedByKernel + droppedByKsnoop;
    return sum;
  }

  /** How the capture of each pod goes. */
  get pods(): RecordedPod[] {
    return [...this.#pods].map(([uid, { capturing, message }]) => ({
      uid,
      capturing,
      ...(message !== undefined && { message }),
    }));
  }

  /** @throws KsnoopError TOO_MANY_SESSIONS, NO_MEMORY; then nothing is left behind */
  async begin(): Promise<void> {
    const { resources } = this.#options;
    try {
      this.#leave = await resources.takePlace();
      const started = resources.memory.begin(CAPTURE_MEMORY);
      if (started === undefined) throw noMemory(resources.memory);
      await this.#set.begin().finally(started);
    } catch (thrown) {
      this.#close();
      throw thrown;
    }
    this.#timers.push(
      setInterval(() => this.#set.writeStatistics(), STATISTICS_INTERVAL_MS),
      setInterval(() => this.#set.lookAfter(), LIFE_CHECK_MS),
    );
  }

  /** Capture these pods from now on, and no others. Resolves when each has begun, failed or is waited for, after a while in any case. */
  async follow(pods: readonly RecordingPod[]): Promise<void> {
    const now = performance.now();
    for (const uid of this.#pods.keys()) {
      if (pods.some((pod) => pod.uid === uid)) continue;
      this.#pods.delete(uid);
      this.#set.remove(uid);
    }
    for (const pod of pods) {
      const known = this.#pods.get(pod.uid);
      const retries = known !== undefined && !known.capturing && !known.waits && now - known.at > RECORDING_RETRY_MS;
      if (known !== undefined && !retries) continue;
      this.#pods.set(pod.uid, { capturing: false, waits: false, message: undefined, at: now });
      this.#set.add(this.#options.targetOf(pod));
    }
    const isSettled = ({ capturing, waits, message }: PodCapture) => capturing || waits || message !== undefined;
    const timeout = new Promise<'late'>((resolve) => void setTimeout(resolve, RECORDING_PODS_MS, 'late').unref());
    while (![...this.#pods.values()].every(isSettled)) {
      if ((await Promise.race([this.#settled.wait(), timeout])) === 'late') return;
    }
  }

  /** End in good order: everything captured until now is written. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#set.stop();
    await this.#spool.drained();
    this.#close();
  }

  /** End at once. */
  kill(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#set.kill();
    this.#close();
  }

  #close(): void {
    this.#spool.close();
    this.#memory.close();
    this.#leave();
    this.#leave = () => {};
  }

  #event(event: AgentEvent): void {
    if (event.type === 'counters') {
      this.#counters.set(event.id ?? -1, event.counters);
      return;
    }
    if (!('target' in event) || !this.#pods.has(event.target)) return;
    const at = performance.now();
    const set = (capturing: boolean, waits: boolean, message: string | undefined) =>
      this.#pods.set(event.target, { capturing, waits, message, at });
    if (event.type === 'started') set(true, true, undefined);
    else if (event.type === 'target-waiting') set(false, true, event.message);
    else if (event.type === 'target-failed') set(false, false, event.message);
    else set(false, true, 'The pod has no process any more.');
    this.#settled.wake();
  }
}
