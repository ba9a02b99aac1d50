import { closeSync } from 'node:fs';
import type { CaptureRequest } from '../../wire/agent-protocol.ts';
import { type AgentTarget, isPodTarget } from '../../wire/agent-target.ts';
import { BATCH_BYTES } from '../../wire/batches.ts';
import { KsnoopError } from '../../wire/errors.ts';
import { joinFilters } from '../../wire/join-filters.ts';
import { TARGETS_PER_AGENT } from '../../wire/limits.ts';
import { stateBlock } from '../../wire/network-state.ts';
import { ENDED_KEPT, NAMESPACE_MEMORY, STATE_AFTER_MS } from '../limits.ts';
import { type OpenNetns, openNetns } from '../netns/namespace.ts';
import { isInCluster } from '../netns/node.ts';
import { ownTrafficFilter } from '../netns/own-traffic.ts';
import type { PodProcess, Proc } from '../netns/proc.ts';
import { isNotYet, SandboxWatch } from '../netns/sandbox-watch.ts';
import { readState } from '../netns/state.ts';
import { type MemoryBudget, noMemory } from '../spool/memory-budget.ts';
import type { Spool } from '../spool/spool.ts';
import { preparePipes } from '../tcpdump/fifo.ts';
import { InterfaceCapture, type InterfaceEnd } from '../tcpdump/interface-capture.ts';
import type { TcpdumpOptions } from '../tcpdump/tcpdump.ts';
import { checkFilter, checkInterface } from '../tcpdump/tcpdump-errors.ts';
import { isFirstLook, NamespaceCapture, ringFor } from './namespace-capture.ts';
import type { RingBudget } from './ring-budget.ts';
import type { TargetEvents } from './target-events.ts';

export interface CaptureSetHandlers {
  /** Gives the next interface's number in the stream. */
  nextInterface(): number;
  /** A namespace is being captured, from the beginning or since later. */
  captured(capture: NamespaceCapture): void;
  /** Nothing is captured any more, and no pod is waited for. */
  empty(): void;
}

export interface CaptureSetOptions {
  readonly request: CaptureRequest;
  /** Where packets go. */
  readonly spool: Spool;
  readonly proc: Proc;
  readonly targetEvents: TargetEvents;
  /** Memory for the rings. */
  readonly rings: RingBudget;
  /** The process's memory, in which the session's first capture has been admitted. */
  readonly memory: Pick<MemoryBudget, 'begin' | 'available'>;
  /** Processes of the container that the kernel has killed for lack of memory; undefined where they are not counted. */
  readonly kills: () => number | undefined;
  readonly handlers: CaptureSetHandlers;
}

/** Everything one session captures: targets come, are waited for, share namespaces, and go. */
export class CaptureSet {
  /** The end marker's data on interfaces that have ended. */
  readonly ended: object[] = [];
  readonly #request: CaptureRequest;
  readonly #spool: Spool;
  readonly #proc: Proc;
  readonly #targetEvents: TargetEvents;
  readonly #handlers: CaptureSetHandlers;
  readonly #rings: RingBudget;
  readonly #memory: Pick<MemoryBudget, 'begin' | 'available'>;
  /** What was admitted with the session has a capture. */
  #isFirstStarted = false;
  readonly #kills: () => number | undefined;
  readonly #killsBefore: number;
  readonly #sandboxes: SandboxWatch;
  readonly #captures = new Set<NamespaceCapture>();
  /** Filters that tcpdump has compiled. */
  readonly #compiled = new Set<string>();
  #ownFilter: string | undefined;
  #endedPackets = 0;
  #state: 'beginning' | 'running' | 'ending' = 'beginning';
  #killed = false;

  constructor({ request, spool, proc, targetEvents, rings, memory, kills, handlers }: CaptureSetOptions) {
    this.#rings = rings;
    this.#memory = memory;
    this.#kills = kills;
    this.#killsBefore = kills() ?? 0;
    this.#request = request;
    this.#spool = spool;
    this.#proc = proc;
    this.#targetEvents = targetEvents;
    this.#handlers = handlers;
    this.#sandboxes = new SandboxWatch(proc, {
      found: (target, namespace) => {
        const capture = this.#join(target, namespace);
        if (capture !== undefined) capture.waitedFor = true;
        this.#begin(capture);
      },
      failed: (target, error) => {
        this.#targetEvents.failed(target, error);
        this.#reportIfEmpty();
      },
    });
  }

  /** Names of the interfaces that are captured. */
  get names(): string[] {
    return [...this.#captures].flatMap(({ active }) => active?.name ?? []);
  }

  /** Packets written to the stream, of interfaces that have ended too. */
  get packets(): number {
    return [...this.#captures].reduce((sum, { active }) => sum + (active?.counters.captured ?? 0), this.#endedPackets);
  }

  /**
   * Capture the request's targets.
   * @throws KsnoopError BAD_FILTER, or why none of them can be captured; then nothing is left behind
   */
  async begin(): Promise<void> {
    try {
      await this.#beginAll();
    } catch (thrown) {
      this.kill();
      for (const capture of this.#captures) if (capture.starting === undefined) this.#drop(capture, thrown);
      await Promise.all([...this.#captures].map(({ begun }) => begun));
      throw thrown;
    }
  }

  async #beginAll(): Promise<void> {
    const { targets } = this.#request;
    const processes = targets.some(isPodTarget) ? this.#proc.podProcesses() : [];
    for (const target of targets) this.#open(target, () => processes);
    // A filter that is wrong is wrong for all: nothing starts before every one has been compiled.
    const checks = await Promise.allSettled([...this.#captures].map((capture) => this.#checkFirst(capture)));
    const bad = checks.find((check) => check.status === 'rejected');
    if (bad !== undefined) throw bad.reason;
    preparePipes(this.#captures.size * (isFirstLook(this.#captures, false) ? 2 : 1));
    for (const capture of this.#captures) this.#begin(capture);
    await Promise.all([...this.#captures].map(({ begun }) => begun));
    // A request without targets waits for the first one that is added.
    if (targets.length > 0 && this.#captures.size === 0 && this.#sandboxes.size === 0) {
      throw this.#targetEvents.firstError ?? new KsnoopError('NOTHING_CAPTURED', 'No target could be captured.');
    }
    if (!this.#killed) this.#state = 'running';
  }

  /** One more target, or what has changed about one that is waited for. */
  add(target: AgentTarget): void {
    if (this.#state === 'ending') return;
    const { key } = target;
    if (target.kind === 'pod' && this.#sandboxes.has(key)) this.#sandboxes.wait(target);
    else if (!this.#isCaptured(key)) {
      const count = this.#sandboxes.size + [...this.#captures].reduce((sum, { targets }) => sum + targets.size, 0);
      if (count < TARGETS_PER_AGENT) this.#begin(this.#open(target, () => this.#proc.podProcesses()));
      else {
        const message = `The agent captures ${count} targets in this session already, and no more are allowed.`;
        this.#targetEvents.failed(target, new KsnoopError('TOO_MANY_TARGETS', message));
      }
    }
  }

  /** A target that is no longer wanted: what is captured of it alone ends, with its statistics. */
  remove(key: string): void {
    if (this.#state === 'ending') return;
    let reported = !this.#sandboxes.forget(key);
    for (const capture of this.#captures) {
      if (!capture.targets.has(key)) continue;
      reported = true;
      this.#targetEvents.counters(capture);
      capture.targets.delete(key);
      if (capture.targets.size > 0) this.#targetEvents.gone(key);
      else {
        capture.removed.push(key);
        this.#end(capture);
      }
    }
    if (!reported) this.#targetEvents.gone(key);
    this.#reportIfEmpty();
  }

  /** Targets whose last process is gone end, with their statistics. */
  lookAfter(): void {
    for (const capture of this.#captures) {
      if (capture.ending || capture.active === undefined) continue;
      capture.active.check();
      if (!capture.namespace.alive()) this.#end(capture);
    }
  }

  /** What tcpdump answers now is in the next statistics. */
  writeStatistics(): void {
    for (const capture of this.#captures) {
      if (capture.ending) continue;
      capture.active?.writeStatistics(false);
      capture.active?.askStatistics();
      this.#targetEvents.counters(capture);
    }
  }

  /** End all in good order. */
  async stop(): Promise<void> {
    this.#state = 'ending';
    this.#sandboxes.close();
    await Promise.all(
      [...this.#captures].map(async (capture) => {
        await capture.begun;
        await Promise.all([capture.active?.stop(), this.#takeLastState(capture)]);
        await capture.active?.ended;
      }),
    );
  }

  /** Kill every tcpdump at once, and start none from now on. */
  kill(): void {
    this.#killed = true;
    this.#state = 'ending';
    this.#sandboxes.close();
    for (const { starting } of this.#captures) starting?.kill();
  }

  #options({ namespace, filter: own, ringKib }: NamespaceCapture): TcpdumpOptions {
    const { interface: name, filter, snaplen, session } = this.#request;
    const joined = joinFilters(filter, own, this.#ownTraffic(namespace));
    return { interface: name, filter: joined, snaplen, session, ringKib };
  }

  /** What a capture of the node's own network must leave out, for it would capture itself. Not of a local agent's. */
  #ownTraffic({ inode }: OpenNetns): string | undefined {
    if (!isInCluster() || inode !== this.#proc.networkNamespace(1)) return undefined;
    this.#ownFilter ??= ownTrafficFilter(this.#proc);
    return this.#ownFilter;
  }

  /** Open a target's namespace, or wait for it. @returns the capture it is in, if that is new */
  #open(target: AgentTarget, processes: () => readonly PodProcess[]): NamespaceCapture | undefined {
    try {
      return this.#join(target, openNetns(target, this.#proc, isPodTarget(target) ? processes() : []));
    } catch (thrown) {
      if (!isNotYet(thrown) || !this.#wait(target)) this.#targetEvents.failed(target, thrown);
      else this.#targetEvents.waits(target, thrown.message);
      return undefined;
    }
  }

  /** @returns whether it is one to be waited for */
  #wait(target: AgentTarget): boolean {
    const waits = target.kind === 'pod' && target.wait === true && this.#state !== 'ending';
    if (waits) this.#sandboxes.wait(target);
    return waits;
  }

  /** Those that share a namespace and a filter come together. */
  #join(target: AgentTarget, namespace: OpenNetns): NamespaceCapture | undefined {
    const known = [...this.#captures].find((capture) => capture.takes(namespace, target));
    if (known === undefined) {
      const capture = new NamespaceCapture(namespace, target);
      this.#captures.add(capture);
      return capture;
    }
    closeSync(namespace.fd);
    known.targets.set(target.key, target);
    if (known.active !== undefined) this.#targetEvents.started(known, target.key);
    return undefined;
  }

  /** Whether a namespace can be captured. @throws KsnoopError UNKNOWN_INTERFACE, BAD_FILTER */
  async #check(capture: NamespaceCapture): Promise<void> {
    const options = this.#options(capture);
    await checkInterface(capture.namespace, options);
    if (options.filter === undefined || this.#compiled.has(options.filter)) return;
    await checkFilter(capture.namespace, options);
    this.#compiled.add(options.filter);
  }

  async #checkFirst(capture: NamespaceCapture): Promise<void> {
    try {
      await this.#check(capture);
    } catch (thrown) {
      if (thrown instanceof KsnoopError && thrown.code === 'BAD_FILTER') throw thrown;
      this.#drop(capture, thrown);
    }
  }

  #begin(capture: NamespaceCapture | undefined): void {
    if (capture === undefined) return;
    const wanted = ringFor(this.#captures, this.#request.follow === true, this.#state === 'running');
    capture.ringKib = this.#rings.take(wanted);
    capture.begun = this.#start(capture);
  }

  async #start(capture: NamespaceCapture): Promise<void> {
    const { namespace, description } = capture;
    const nextId = () => this.#handlers.nextInterface();
    const active = new InterfaceCapture({
      namespace,
      description,
      tcpdump: this.#options(capture),
      spool: this.#spool,
      nextId,
    });
    capture.starting = active;
    try {
      await this.#check(capture);
      if (this.#killed) throw new KsnoopError('CAPTURE_FAILED', 'The session has ended.');
      const started = this.#admit();
      await active.start(isFirstLook(this.#captures, this.#state === 'running')).finally(started);
    } catch (thrown) {
      this.#drop(capture, thrown);
      return;
    }
    capture.active = active;
    for (const key of capture.targets.keys()) this.#targetEvents.started(capture, key);
    void active.ended.then((end) => this.#hasEnded(capture, end));
    this.#handlers.captured(capture);
    if (this.#request.state === true) {
      capture.stateTimer = setTimeout(() => void this.#takeFirstState(capture), STATE_AFTER_MS);
    }
    if (capture.ending) void active.stop();
  }

  /** Admit one more capture. @returns to be called when it has started or failed @throws KsnoopError NO_MEMORY */
  #admit(): () => void {
    const started = this.#isFirstStarted ? this.#memory.begin(NAMESPACE_MEMORY) : () => {};
    this.#isFirstStarted = true;
    if (started === undefined) throw noMemory(this.#memory);
    return started;
  }

  async #takeFirstState(capture: NamespaceCapture): Promise<void> {
    capture.stateTimer = undefined;
    await this.#takeState(capture);
  }

  /** The state that the first is compared with; not of a capture that was too short for a first. */
  async #takeLastState(capture: NamespaceCapture): Promise<void> {
    if (this.#killed) return;
    const hasFirst = this.#request.state === true && capture.active !== undefined && capture.stateTimer === undefined;
    if (hasFirst && capture.namespace.alive()) await this.#takeState(capture);
  }

  async #takeState({ namespace, active, targets }: NamespaceCapture): Promise<void> {
    const state = await readState(namespace, this.#request.session, { proc: this.#proc, targets: targets.values() });
    const interfaceId = active?.id;
    if (state === undefined || interfaceId === undefined) return;
    const block = stateBlock({ interfaceId, time: BigInt(Date.now()) * 1_000_000n, state });
    if (block !== undefined && block.length <= BATCH_BYTES) this.#spool.push(block);
  }

  /** A namespace that could not be captured. */
  #drop(capture: NamespaceCapture, thrown: unknown): void {
    this.#captures.delete(capture);
    this.#rings.give(capture.ringKib);
    const lives = capture.namespace.alive();
    capture.close();
    for (const target of capture.targets.values()) {
      if (lives || !this.#wait(target)) this.#targetEvents.failed(target, thrown);
    }
    for (const key of capture.removed) this.#reportGone(key);
    this.#reportIfEmpty();
  }

  #isCaptured(key: string): boolean {
    return [...this.#captures].some((capture) => !capture.ending && capture.targets.has(key));
  }

  /** A namespace is gone, or no longer wanted. Pods that may come again are waited for from now on. */
  #end(capture: NamespaceCapture): void {
    if (capture.ending) return;
    capture.ending = true;
    for (const target of capture.targets.values()) this.#wait(target);
    void capture.active?.stop();
  }

  #hasEnded(capture: NamespaceCapture, end: InterfaceEnd): void {
    const failed = end.kind === 'failed' && capture.namespace.alive() && !capture.ending;
    const failure = failed ? this.#withKills(end.error) : undefined;
    const gone = failure === undefined && (capture.ending || this.#state !== 'ending');
    if (gone) this.#end(capture);
    capture.ending = true;
    this.#captures.delete(capture);
    this.#rings.give(capture.ringKib);
    this.#targetEvents.counters(capture);
    for (const target of capture.targets.values()) {
      if (failure !== undefined) this.#targetEvents.failed(target, failure);
      else if (gone) this.#reportGone(target.key);
    }
    for (const key of capture.removed) this.#reportGone(key);
    this.#endedPackets += capture.active?.counters.captured ?? 0;
    this.ended.push({ id: capture.active?.id, name: capture.active?.name, ...capture.active?.counters });
    if (this.ended.length > ENDED_KEPT) this.ended.shift();
    capture.close();
    this.#reportIfEmpty();
  }

  /** An error with the kernel's word, where it has killed processes of the container since the session began. */
  #withKills(error: KsnoopError): KsnoopError {
    const kills = (this.#kills() ?? 0) - this.#killsBefore;
    if (kills <= 0) return error;
    const what = `The kernel has killed ${kills} ${kills === 1 ? 'process' : 'processes'} of the agent's container meanwhile: out of memory.`;
    return new KsnoopError(error.code, `${error.message} ${what}`, {
      hint: "End other captures on the node, or raise the memory limit of DaemonSet ksnoop-agent's container.",
    });
  }

  /** A pod whose other sandbox is still captured has not gone. */
  #reportGone(key: string): void {
    const elsewhere = this.#isCaptured(key) || [...this.#captures].some(({ removed }) => removed.includes(key));
    if (!elsewhere) this.#targetEvents.gone(key);
  }

  #reportIfEmpty(): void {
    const empty = this.#captures.size === 0 && this.#sandboxes.size === 0;
    if (this.#state === 'running' && empty) this.#handlers.empty();
  }
}
