import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CaptureRequest, EndReason } from '../wire/agent-protocol.ts';
import type { AgentTarget } from '../wire/agent-target.ts';
import { KsnoopError, messageOf } from '../wire/errors.ts';
import { END_ACKNOWLEDGE_MS, HEARTBEAT_MS, STATISTICS_INTERVAL_MS } from '../wire/limits.ts';
import { endMarker, sectionHeader } from '../wire/pcapng-write.ts';
import { checkProtocol } from '../wire/version.ts';
import type { Events } from './events.ts';
import { InterfaceCapture, type InterfaceEnd } from './interface-capture.ts';
import { LIFE_CHECK_MS, RING_MAXIMUM_KIB, RING_MINIMUM_KIB, RINGS_KIB } from './limits.ts';
import { type HeldNamespace, holdNamespace } from './namespace.ts';
import { Proc } from './proc.ts';
import { checkSessionBound, writeContainerLog } from './sessions.ts';
import type { Spool } from './spool.ts';
import type { TcpdumpOptions } from './tcpdump.ts';
import { checkFilter, checkInterface } from './tcpdump-words.ts';

/** Targets that share a network namespace share its capture. */
interface Share {
  readonly namespace: HeldNamespace;
  readonly targets: AgentTarget[];
  capture: InterfaceCapture | undefined;
  gone: boolean;
}

/** One request, from its first line to its end marker. */
export class CaptureSession {
  readonly #request: CaptureRequest;
  readonly #spool: Spool;
  readonly #events: Events;
  readonly #proc: Proc;
  readonly #acknowledged = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<EndReason>();
  #shares: Share[] = [];
  #interfaces = 0;
  #firstError: KsnoopError | undefined;

  constructor(request: CaptureRequest, spool: Spool, events: Events, proc = new Proc()) {
    this.#request = request;
    this.#spool = spool;
    this.#events = events;
    this.#proc = proc;
  }

  /** End in good order. Only the first reason counts. */
  stop(reason: EndReason): void {
    this.#stopped.resolve(reason);
  }

  acknowledge(): void {
    this.#acknowledged.resolve();
  }

  /** Kill every tcpdump at once. */
  abandon(): void {
    for (const share of this.#shares) share.capture?.kill();
  }

  /**
   * Capture until the end. @throws KsnoopError when nothing could be captured at all; then nothing is left behind
   */
  async run(): Promise<void> {
    checkProtocol(this.#request.protocol, 'client');
    checkSessionBound(this.#proc);
    this.#shares = this.#holdAll();
    await this.#checkFilters();
    await Promise.all(this.#shares.map((share) => this.#start(share)));
    const live = this.#shares.filter((share) => share.capture !== undefined);
    if (live.length === 0) throw this.#nothing();
    this.#log(live);
    const reason = await this.#untilEnd(live);
    await Promise.all(live.map((share) => share.capture?.stop()));
    await Promise.all(live.map((share) => share.capture?.ended));
    this.#tellCounters(live);
    for (const { namespace } of this.#shares) closeSync(namespace.fd);
    await this.#finish(live, reason);
  }

  #options(targets: readonly AgentTarget[]): TcpdumpOptions {
    const { interface: name, filter, snaplen, session } = this.#request;
    const fair = Math.floor(RINGS_KIB / this.#shares.length);
    const ringKib = Math.max(RING_MINIMUM_KIB, Math.min(RING_MAXIMUM_KIB, fair));
    return { interface: name, filter: joinFilters(filter, targets), snaplen, session, ringKib };
  }

  #nothing(): KsnoopError {
    return this.#firstError ?? new KsnoopError('NOTHING_CAPTURED', 'No target could be captured.');
  }

  #failTarget(target: AgentTarget, thrown: unknown): void {
    const error = thrown instanceof KsnoopError ? thrown : new KsnoopError('CAPTURE_FAILED', messageOf(thrown));
    this.#firstError ??= error;
    const { code, message, hint } = error;
    this.#events.send({ type: 'target-failed', target: target.key, code, message, ...(hint && { hint }) });
  }

  /** Find and hold every target's namespace; those that share one come together. */
  #holdAll(): Share[] {
    const processes = this.#request.targets.some(isPod) ? this.#proc.podProcesses() : [];
    const shares = new Map<number, Share>();
    for (const target of this.#request.targets) {
      try {
        const namespace = holdNamespace(target, this.#proc, processes);
        const known = shares.get(namespace.inode);
        if (known === undefined) {
          shares.set(namespace.inode, { namespace, targets: [target], capture: undefined, gone: false });
        } else {
          closeSync(namespace.fd);
          known.targets.push(target);
        }
      } catch (thrown) {
        this.#failTarget(target, thrown);
      }
    }
    return [...shares.values()];
  }

  /** A filter that is wrong is wrong for all: nothing starts before every one has been compiled. */
  async #checkFilters(): Promise<void> {
    await Promise.all(
      this.#shares.map(async (share) => {
        try {
          const options = this.#options(share.targets);
          await checkInterface(share.namespace, options);
          await checkFilter(share.namespace, options);
        } catch (thrown) {
          if (thrown instanceof KsnoopError && thrown.code === 'BAD_FILTER') throw thrown;
          share.gone = true;
          for (const target of share.targets) this.#failTarget(target, thrown);
        }
      }),
    );
  }

  async #start(share: Share): Promise<void> {
    if (share.gone) return;
    const { namespace, targets } = share;
    const others = targets.length > 1 ? ` shared-by=${targets.map(({ key }) => key).join(',')}` : '';
    const options = this.#options(targets);
    const description = namespace.description + others;
    const capture = new InterfaceCapture(namespace, description, options, this.#spool, () => this.#nextInterface());
    try {
      await capture.start();
      share.capture = capture;
      for (const { key } of targets) this.#events.send({ type: 'started', target: key, interface: capture.name });
    } catch (thrown) {
      share.gone = true;
      for (const target of targets) this.#failTarget(target, thrown);
    }
  }

  /** The next interface's number. The stream begins with its first interface: one without any stays empty. */
  #nextInterface(): number {
    if (this.#interfaces === 0) {
      this.#spool.push(sectionHeader(`Linux ${this.#proc.read('sys', 'kernel', 'osrelease')?.trim() ?? ''}`));
    }
    this.#interfaces += 1;
    return this.#interfaces - 1;
  }

  /** Resolves with the reason when the session is to end. */
  async #untilEnd(live: readonly Share[]): Promise<EndReason> {
    const timers = [
      setInterval(() => this.#events.send({ type: 'alive' }), HEARTBEAT_MS),
      setInterval(() => this.#writeStatistics(live), STATISTICS_INTERVAL_MS),
      setInterval(() => this.#lookAfter(live), LIFE_CHECK_MS),
      setTimeout(() => this.stop('duration'), this.#request.maxDurationMs),
    ];
    for (const share of live) void share.capture?.ended.then((end) => this.#ended(share, end, live));
    const reason = await this.#stopped.promise;
    for (const timer of timers) clearTimeout(timer);
    return reason;
  }

  /** Targets whose last process is gone end, with their statistics. */
  #lookAfter(live: readonly Share[]): void {
    for (const share of live) {
      if (share.gone) continue;
      share.capture?.check();
      if (share.namespace.alive()) continue;
      share.gone = true;
      void share.capture?.stop();
    }
  }

  #ended(share: Share, end: InterfaceEnd, live: readonly Share[]): void {
    this.#tellCounters([share]);
    for (const target of share.targets) {
      if (end.kind === 'failed' && share.namespace.alive()) this.#failTarget(target, end.error);
      else if (share.gone || end.kind === 'failed') this.#events.send({ type: 'target-gone', target: target.key });
    }
    share.gone = true;
    if (live.every((other) => other.gone)) this.stop('targets-gone');
  }

  /** What tcpdump answers now is in the next statistics. */
  #writeStatistics(live: readonly Share[]): void {
    for (const { capture, gone } of live) {
      if (gone) continue;
      capture?.writeStatistics(false);
      capture?.askStatistics();
    }
    this.#tellCounters(live);
  }

  #tellCounters(live: readonly Share[]): void {
    for (const { capture, targets } of live) {
      if (capture === undefined) continue;
      for (const { key } of targets) this.#events.send({ type: 'counters', target: key, counters: capture.counters });
    }
  }

  #log(live: readonly Share[]): void {
    const names = live.map(({ capture }) => capture?.name).join(' ');
    const { filter, session } = this.#request;
    const line = `session ${session}: capturing ${names}, filter ${filter === undefined ? 'none' : JSON.stringify(filter)}`;
    this.#events.send({ type: 'log', message: line });
    writeContainerLog(this.#proc, line);
  }

  /** Write the end marker and hold on until the client has read it: exec can drop a tail (kubernetes #124571). */
  async #finish(live: readonly Share[], reason: EndReason): Promise<void> {
    const interfaces = live.map(({ capture }) => ({ id: capture?.id, name: capture?.name, ...capture?.counters }));
    this.#spool.push(endMarker({ version: 1, reason, interfaces }));
    await this.#spool.drained();
    this.#events.send({ type: 'end', reason });
    await Promise.race([this.#acknowledged.promise, sleep(END_ACKNOWLEDGE_MS, undefined, { ref: false })]);
  }
}

function isPod(target: AgentTarget): boolean {
  return target.kind === 'pod' || target.kind === 'local-pod';
}

/** The request's filter and those of the targets that share a namespace: any of theirs, and the request's. */
export function joinFilters(filter: string | undefined, targets: readonly AgentTarget[]): string | undefined {
  const own = targets.map((target) => target.filter);
  const all = own.some((text) => text === undefined) ? undefined : own.map((text) => `(${text})`).join(' or ');
  if (filter === undefined) return all;
  return all === undefined ? filter : `(${filter}) and (${all})`;
}
