import { closeSync } from 'node:fs';
import type { CaptureRequest } from '../../wire/agent-protocol.ts';
import { type AgentTarget, isPodTarget } from '../../wire/agent-target.ts';
import { KsnoopError } from '../../wire/errors.ts';
import { joinFilters } from '../../wire/join-filters.ts';
import { TARGETS_PER_AGENT } from '../../wire/limits.ts';
import { ENDED_KEPT } from '../limits.ts';
import { type OpenNetns, openNetns } from '../netns/namespace.ts';
import { ownTrafficFilter } from '../netns/own-traffic.ts';
import type { PodProcess, Proc } from '../netns/proc.ts';
import { isNotYet, SandboxWatch } from '../netns/sandbox-watch.ts';
import type { TargetEvents } from '../session/target-events.ts';
import type { Spool } from '../spool/spool.ts';
import { preparePipes } from './fifo.ts';
import { InterfaceCapture, type InterfaceEnd } from './interface-capture.ts';
import { NamespaceCapture } from './namespace-capture.ts';
import { isFirstLook, ringFor } from './rings.ts';
import type { TcpdumpOptions } from './tcpdump.ts';
import { checkFilter, checkInterface } from './tcpdump-words.ts';

export interface SharesHandlers {
  /** Gives the next interface's number in the stream. */
  nextInterface(): number;
  /** A target joined and is being captured. */
  joined(name: string): void;
  /** Nothing is captured any more, and no pod is waited for. */
  empty(): void;
}

/** Everything one session captures: targets come, are waited for, share namespaces, and go. */
export class CaptureSet {
  /** What the end marker says of interfaces that have ended. */
  readonly ended: object[] = [];
  readonly #request: CaptureRequest;
  readonly #spool: Spool;
  readonly #proc: Proc;
  readonly #targets: TargetEvents;
  readonly #handlers: SharesHandlers;
  readonly #sandboxes: SandboxWatch;
  readonly #shares = new Set<NamespaceCapture>();
  /** Filters that tcpdump has compiled. */
  readonly #compiled = new Set<string>();
  #carried: string | undefined;
  #state: 'beginning' | 'running' | 'ending' = 'beginning';

  constructor(request: CaptureRequest, spool: Spool, proc: Proc, targets: TargetEvents, handlers: SharesHandlers) {
    this.#request = request;
    this.#spool = spool;
    this.#proc = proc;
    this.#targets = targets;
    this.#handlers = handlers;
    this.#sandboxes = new SandboxWatch(proc, {
      found: (target, namespace) => {
        const share = this.#place(target, namespace);
        if (share !== undefined) share.waitedFor = true;
        this.#begin(share);
      },
      failed: (target, error) => {
        this.#targets.failed(target, error);
        this.#tellIfEmpty();
      },
    });
  }

  /** Names of the interfaces that are captured. */
  get names(): string[] {
    return [...this.#shares].flatMap(({ capture }) => capture?.name ?? []);
  }

  /**
   * Capture the request's targets.
   * @throws KsnoopError BAD_FILTER, or why none of them can be captured; then nothing is left behind
   */
  async begin(): Promise<void> {
    const { targets } = this.#request;
    const processes = targets.some(isPodTarget) ? this.#proc.podProcesses() : [];
    for (const target of targets) this.#hold(target, () => processes);
    // A filter that is wrong is wrong for all: nothing starts before every one has been compiled.
    await Promise.all([...this.#shares].map((share) => this.#checkFirst(share)));
    preparePipes(this.#shares.size * (isFirstLook(this.#shares, false) ? 2 : 1));
    for (const share of this.#shares) this.#begin(share);
    await Promise.all([...this.#shares].map(({ begun }) => begun));
    if (this.#shares.size === 0 && this.#sandboxes.size === 0) {
      throw this.#targets.firstError ?? new KsnoopError('NOTHING_CAPTURED', 'No target could be captured.');
    }
    this.#state = 'running';
  }

  /** One more target, or what has changed about one that is waited for. */
  add(target: AgentTarget): void {
    if (this.#state === 'ending') return;
    const { key } = target;
    if (target.kind === 'pod' && this.#sandboxes.has(key)) this.#sandboxes.wait(target);
    else if (!this.#isCaptured(key)) {
      const count = this.#sandboxes.size + [...this.#shares].reduce((sum, { targets }) => sum + targets.size, 0);
      if (count < TARGETS_PER_AGENT) this.#begin(this.#hold(target, () => this.#proc.podProcesses()));
      else {
        const message = `The agent captures ${count} targets in this session already, and no more are allowed.`;
        this.#targets.failed(target, new KsnoopError('TOO_MANY_TARGETS', message));
      }
    }
  }

  /** A target that is no longer wanted: what is captured of it alone ends, with its statistics. */
  remove(key: string): void {
    if (this.#state === 'ending') return;
    let told = !this.#sandboxes.forget(key);
    for (const share of this.#shares) {
      if (!share.targets.has(key)) continue;
      told = true;
      this.#targets.counters(share);
      share.targets.delete(key);
      if (share.targets.size > 0) this.#targets.gone(key);
      else {
        share.removed.push(key);
        this.#end(share);
      }
    }
    if (!told) this.#targets.gone(key);
    this.#tellIfEmpty();
  }

  /** Targets whose last process is gone end, with their statistics. */
  lookAfter(): void {
    for (const share of this.#shares) {
      if (share.ending || share.capture === undefined) continue;
      share.capture.check();
      if (!share.namespace.alive()) this.#end(share);
    }
  }

  /** What tcpdump answers now is in the next statistics. */
  writeStatistics(): void {
    for (const share of this.#shares) {
      if (share.ending) continue;
      share.capture?.writeStatistics(false);
      share.capture?.askStatistics();
      this.#targets.counters(share);
    }
  }

  /** End all in good order. */
  async stop(): Promise<void> {
    this.#state = 'ending';
    this.#sandboxes.close();
    await Promise.all(
      [...this.#shares].map(async (share) => {
        await share.begun;
        await share.capture?.stop();
        await share.capture?.ended;
      }),
    );
  }

  /** Kill every tcpdump at once. */
  kill(): void {
    for (const share of this.#shares) share.capture?.kill();
  }

  #options({ namespace, filter: own, ringKib }: NamespaceCapture): TcpdumpOptions {
    const { interface: name, filter, snaplen, session } = this.#request;
    const joined = joinFilters(filter, own, this.#ownTraffic(namespace));
    return { interface: name, filter: joined, snaplen, session, ringKib };
  }

  /** What a capture of the node's own network must leave out, for it would capture itself. Not of a local agent's. */
  #ownTraffic({ inode }: OpenNetns): string | undefined {
    if (process.env.NODE_NAME === undefined || inode !== this.#proc.networkNamespace(1)) return undefined;
    this.#carried ??= ownTrafficFilter(this.#proc);
    return this.#carried;
  }

  /** Find and hold a target's namespace, or wait for it. @returns the share it is in, if it is new */
  #hold(target: AgentTarget, processes: () => readonly PodProcess[]): NamespaceCapture | undefined {
    try {
      return this.#place(target, openNetns(target, this.#proc, isPodTarget(target) ? processes() : []));
    } catch (thrown) {
      if (!isNotYet(thrown) || !this.#wait(target)) this.#targets.failed(target, thrown);
      else this.#targets.waits(target, thrown.message);
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
  #place(target: AgentTarget, namespace: OpenNetns): NamespaceCapture | undefined {
    const known = [...this.#shares].find((share) => share.takes(namespace, target));
    if (known === undefined) {
      const share = new NamespaceCapture(namespace, target);
      this.#shares.add(share);
      return share;
    }
    closeSync(namespace.fd);
    known.targets.set(target.key, target);
    if (known.capture !== undefined) this.#targets.started(known, target.key);
    return undefined;
  }

  /** Whether a share can be captured. @throws KsnoopError UNKNOWN_INTERFACE, BAD_FILTER */
  async #check(share: NamespaceCapture): Promise<void> {
    const options = this.#options(share);
    await checkInterface(share.namespace, options);
    if (options.filter === undefined || this.#compiled.has(options.filter)) return;
    await checkFilter(share.namespace, options);
    this.#compiled.add(options.filter);
  }

  async #checkFirst(share: NamespaceCapture): Promise<void> {
    try {
      await this.#check(share);
    } catch (thrown) {
      if (thrown instanceof KsnoopError && thrown.code === 'BAD_FILTER') throw thrown;
      this.#drop(share, thrown);
    }
  }

  #begin(share: NamespaceCapture | undefined): void {
    if (share === undefined) return;
    share.ringKib = ringFor(this.#shares, this.#request.follow === true, this.#state === 'running');
    share.begun = this.#start(share);
  }

  async #start(share: NamespaceCapture): Promise<void> {
    const { namespace, description } = share;
    const nextId = () => this.#handlers.nextInterface();
    const capture = new InterfaceCapture(namespace, description, this.#options(share), this.#spool, nextId);
    try {
      await this.#check(share);
      await capture.start(isFirstLook(this.#shares, this.#state === 'running'));
    } catch (thrown) {
      this.#drop(share, thrown);
      return;
    }
    share.capture = capture;
    for (const key of share.targets.keys()) this.#targets.started(share, key);
    void capture.ended.then((end) => this.#hasEnded(share, end));
    if (this.#state === 'running') this.#handlers.joined(capture.name);
    if (share.ending) void capture.stop();
  }

  /** A share that could not be captured. */
  #drop(share: NamespaceCapture, thrown: unknown): void {
    this.#shares.delete(share);
    const lives = share.namespace.alive();
    share.close();
    for (const target of share.targets.values()) {
      if (lives || !this.#wait(target)) this.#targets.failed(target, thrown);
    }
    for (const key of share.removed) this.#tellGone(key);
    this.#tellIfEmpty();
  }

  #isCaptured(key: string): boolean {
    return [...this.#shares].some((share) => !share.ending && share.targets.has(key));
  }

  /** A share's namespace is gone, or nobody wants it. Pods that may come again are waited for from now on. */
  #end(share: NamespaceCapture): void {
    if (share.ending) return;
    share.ending = true;
    for (const target of share.targets.values()) this.#wait(target);
    void share.capture?.stop();
  }

  #hasEnded(share: NamespaceCapture, end: InterfaceEnd): void {
    const failure = end.kind === 'failed' && share.namespace.alive() && !share.ending ? end.error : undefined;
    const gone = failure === undefined && (share.ending || this.#state !== 'ending');
    if (gone) this.#end(share);
    share.ending = true;
    this.#shares.delete(share);
    this.#targets.counters(share);
    for (const target of share.targets.values()) {
      if (failure !== undefined) this.#targets.failed(target, failure);
      else if (gone) this.#tellGone(target.key);
    }
    for (const key of share.removed) this.#tellGone(key);
    this.ended.push({ id: share.capture?.id, name: share.capture?.name, ...share.capture?.counters });
    if (this.ended.length > ENDED_KEPT) this.ended.shift();
    share.close();
    this.#tellIfEmpty();
  }

  /** A pod whose other sandbox is still captured has not gone. */
  #tellGone(key: string): void {
    const elsewhere = this.#isCaptured(key) || [...this.#shares].some(({ removed }) => removed.includes(key));
    if (!elsewhere) this.#targets.gone(key);
  }

  #tellIfEmpty(): void {
    const empty = this.#shares.size === 0 && this.#sandboxes.size === 0;
    if (this.#state === 'running' && empty) this.#handlers.empty();
  }
}
