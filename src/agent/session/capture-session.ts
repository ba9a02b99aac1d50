import { setTimeout as sleep } from 'node:timers/promises';
import type { CaptureRequest, EndReason } from '../../wire/agent-protocol.ts';
import type { AgentTarget } from '../../wire/agent-target.ts';
import { END_ACKNOWLEDGE_MS, HEARTBEAT_MS, STATISTICS_INTERVAL_MS } from '../../wire/limits.ts';
import { endMarker, sectionHeader, startMarker } from '../../wire/pcapng-write.ts';
import { checkProtocol } from '../../wire/version.ts';
import { CAPTURE_MEMORY, LIFE_CHECK_MS } from '../limits.ts';
import { Proc } from '../netns/proc.ts';
import { noMemory } from '../spool/memory-budget.ts';
import type { Spool } from '../spool/spool.ts';
import { type CaptureOwner, captureEntry } from './capture-entry.ts';
import { CaptureSet } from './capture-set.ts';
import { ContainerLog } from './container-log.ts';
import type { Events } from './events.ts';
import type { NamespaceCapture } from './namespace-capture.ts';
import type { Resources } from './resources.ts';
import { TargetEvents } from './target-events.ts';

/** One request, from its first line to its end marker. */
export class CaptureSession {
  readonly #request: CaptureRequest;
  readonly #spool: Spool;
  readonly #events: Events;
  readonly #proc: Proc;
  readonly #resources: Resources;
  readonly #owner: CaptureOwner | undefined;
  readonly #log: ContainerLog;
  readonly #captures: CaptureSet;
  readonly #acknowledged = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<EndReason>();
  #interfaces = 0;
  /** The request's own targets are being captured. */
  #begun = false;

  /** @param owner whose capture it is, for the log */
  constructor(request: CaptureRequest, spool: Spool, events: Events, resources: Resources, owner?: CaptureOwner) {
    const proc = new Proc();
    this.#owner = owner;
    this.#request = request;
    this.#resources = resources;
    this.#spool = spool;
    this.#events = events;
    this.#proc = proc;
    this.#log = new ContainerLog(proc, request.session, resources.log);
    this.#captures = new CaptureSet({
      request,
      spool,
      proc,
      targetEvents: new TargetEvents(events),
      rings: resources.rings,
      memory: resources.memory,
      kills: () => resources.kills(),
      handlers: {
        nextInterface: () => this.#nextInterface(),
        captured: (capture) => this.#logCapture(capture),
        empty: () => {
          if (request.follow !== true) this.stop('targets-gone');
        },
      },
    });
  }

  /** End in good order. Only the first reason counts. */
  stop(reason: EndReason): void {
    this.#stopped.resolve(reason);
  }

  acknowledge(): void {
    this.#acknowledged.resolve();
  }

  /** End at once: every tcpdump is killed, and nothing is waited for. */
  abandon(reason: EndReason): void {
    this.#captures.kill();
    this.stop(reason);
    this.acknowledge();
  }

  add(target: AgentTarget): void {
    this.#captures.add(target);
  }

  remove(key: string): void {
    this.#captures.remove(key);
  }

  /**
   * Capture until the end. @throws KsnoopError when nothing could be captured at all; then nothing is left behind
   */
  async run(): Promise<void> {
    checkProtocol(this.#request.protocol, 'client');
    const { memory, takePlace } = this.#resources;
    const leave = await takePlace();
    try {
      const started = memory.begin(CAPTURE_MEMORY);
      if (started === undefined) throw noMemory(memory);
      await this.#captures.begin().finally(started);
      const ended = this.#count();
      await this.#capture().finally(ended);
    } finally {
      leave();
    }
  }

  async #capture(): Promise<void> {
    const { filter } = this.#request;
    const names = this.#captures.names.join(' ') || 'nothing yet';
    this.#report(`capturing ${names}, filter ${filter === undefined ? 'none' : JSON.stringify(filter)}`);
    this.#begun = true;
    const reason = await this.#untilEnd();
    await this.#captures.stop();
    const { packets } = this.#captures;
    const { user, capture: object } = this.#owner ?? {};
    this.#log.write({ event: 'end', user, object, reason, packets, bytes: this.#spool.taken });
    await this.#finish(reason);
  }

  /** Count what a Capture gets. @returns ends that */
  #count(): () => void {
    const amount = () => ({ packets: this.#captures.packets, bytes: this.#spool.taken });
    return this.#owner === undefined ? () => {} : this.#resources.captured.begin(this.#owner.capture, amount);
  }

  /** The next interface's number. The stream begins with its first interface: one without any stays empty. */
  #nextInterface(): number {
    if (this.#interfaces === 0) this.#beginSection();
    this.#interfaces += 1;
    return this.#interfaces - 1;
  }

  #beginSection(): void {
    this.#spool.push(sectionHeader(`Linux ${this.#proc.read('sys', 'kernel', 'osrelease')?.trim() ?? ''}`));
    this.#spool.push(startMarker());
  }

  /** Resolves with the reason when the session is to end. */
  async #untilEnd(): Promise<EndReason> {
    const timers = [
      setInterval(() => this.#events.send({ type: 'alive' }), HEARTBEAT_MS),
      setInterval(() => this.#captures.writeStatistics(), STATISTICS_INTERVAL_MS),
      setInterval(() => this.#captures.lookAfter(), LIFE_CHECK_MS),
      setTimeout(() => this.stop('duration'), this.#request.maxDurationMs),
    ];
    const reason = await this.#stopped.promise;
    for (const timer of timers) clearTimeout(timer);
    return reason;
  }

  /** A line for the client. */
  #report(text: string): void {
    this.#events.send({ type: 'log', message: `session ${this.#request.session}: ${text}` });
  }

  #logCapture(capture: NamespaceCapture): void {
    const { namespace, active } = capture;
    if (this.#begun && active !== undefined) this.#report(`capturing ${active.name}`);
    const { others } = namespace;
    if (others > 0) {
      this.#report(`${namespace.name} has ${others} more network namespaces, which are not captured`);
    }
    this.#log.write(captureEntry(capture, this.#request, this.#owner));
  }

  /** Write the end marker and hold on until the client has read it: exec can drop a tail (kubernetes #124571). */
  async #finish(reason: EndReason): Promise<void> {
    if (this.#interfaces === 0) this.#beginSection();
    this.#spool.push(endMarker({ version: 1, reason, interfaces: this.#captures.ended }));
    await this.#spool.drained();
    this.#events.send({ type: 'end', reason });
    await Promise.race([this.#acknowledged.promise, sleep(END_ACKNOWLEDGE_MS, undefined, { ref: false })]);
  }
}
