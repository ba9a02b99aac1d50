import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentEvent, CaptureRequest, EndReason } from '../wire/agent-protocol.ts';
import type { AgentTarget } from '../wire/agent-target.ts';
import { KsnoopError, messageOf } from '../wire/errors.ts';
import { PROTOCOL_TEXT } from '../wire/version.ts';
import { agentError } from './agent-error.ts';
import { RECONNECT_FIRST_MS, RECONNECT_LAST_MS, RECONNECT_TOTAL_MS } from './limits.ts';
import type { Merge } from './merge.ts';
import type { CaptureReport, Gap } from './report.ts';
import { AgentSession, type SessionEnd } from './session.ts';
import type { OpenTransport } from './transport.ts';

/** What to capture of every target. */
export interface CaptureSettings {
  readonly interface: string;
  readonly filter: string | undefined;
  readonly snaplen: number;
  readonly maxDurationMs: number;
}

/** One node's share of a capture. */
export interface NodePlan {
  /** The node's name, or `this machine`. */
  readonly node: string;
  readonly targets: readonly AgentTarget[];
  /** Reaches the node's agent as it is now: looked up anew for every session. */
  readonly open: OpenTransport;
  /** Those of the targets that still live, as they are now. Rejects while nobody can be asked. */
  readonly refresh: (targets: readonly AgentTarget[]) => Promise<readonly AgentTarget[]>;
}

/** What happens during a capture, for whoever watches. */
export interface CaptureObserver {
  started(target: string, label: string): void;
  failed(target: string, label: string, error: KsnoopError): void;
  gone(target: string, label: string): void;
  lost(gap: Gap): void;
  resumed(gap: Gap): void;
  log(node: string, message: string): void;
}

/** The agent ended in good order, but not because it was asked to or had nothing left: it lost sight of us. */
const UNASKED_ENDS: readonly EndReason[] = ['lease', 'stdin-closed', 'signal'];

/** Refusals that another attempt cannot change. */
const FINAL_CODES = new Set(['BAD_FILTER', 'UNKNOWN_INTERFACE', 'PROTOCOL_MISMATCH', 'FORBIDDEN', 'INVALID_MESSAGE']);

/** The targets of one node through one agent, over as many sessions as it takes. */
export class NodeStream {
  readonly #plan: NodePlan;
  readonly #settings: CaptureSettings;
  readonly #merge: Merge;
  readonly #report: CaptureReport;
  readonly #observer: CaptureObserver;
  readonly #sessionId: () => string;
  readonly #stop = new AbortController();
  #session: AgentSession | undefined;
  #paused = false;
  #endReason: EndReason | undefined;
  #gap: Gap | undefined;

  constructor(
    plan: NodePlan,
    settings: CaptureSettings,
    merge: Merge,
    report: CaptureReport,
    observer: CaptureObserver,
    sessionId: () => string,
  ) {
    this.#plan = plan;
    this.#settings = settings;
    this.#merge = merge;
    this.#report = report;
    this.#observer = observer;
    this.#sessionId = sessionId;
  }

  /** Capture until stopped, until every target is gone, or until the stream is lost for good. Never rejects. */
  async run(): Promise<void> {
    let targets = this.#plan.targets;
    let delay = RECONNECT_FIRST_MS;
    let lostAt = 0;
    while (targets.length > 0 && !this.#stop.signal.aborted) {
      const { end, started } = await this.#runSession(targets);
      this.#report.closeSession(targets.map((target) => target.key));
      if (started) delay = RECONNECT_FIRST_MS;
      if (end.kind === 'complete' || this.#stop.signal.aborted) {
        if (end.kind !== 'complete') this.#noteLoss(end.error);
        return;
      }
      const wasCapturing = started || this.#gap !== undefined;
      if (started || lostAt === 0) lostAt = performance.now();
      const hopeless = FINAL_CODES.has(end.error.code) || performance.now() - lostAt > RECONNECT_TOTAL_MS;
      if (!wasCapturing || hopeless) {
        this.#failAll(targets, end.error);
        return;
      }
      this.#noteLoss(end.error);
      await sleep(delay, undefined, { signal: this.#stop.signal }).catch(() => {});
      if (this.#stop.signal.aborted) return;
      delay = Math.min(delay * 2, RECONNECT_LAST_MS);
      targets = await this.#refresh(targets);
    }
  }

  /** End in good order: what was captured still comes. */
  stop(): void {
    this.#stop.abort();
    this.#session?.stop();
  }

  terminate(): void {
    this.#stop.abort();
    this.#session?.terminate();
  }

  pause(): void {
    this.#paused = true;
    this.#session?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#session?.resume();
  }

  async #runSession(targets: readonly AgentTarget[]): Promise<{ end: SessionEnd; started: boolean }> {
    const settings = this.#settings;
    const source = this.#merge.addSource(this.#plan.node);
    if (this.#gap !== undefined) source.lostSince = this.#gap;
    const request: CaptureRequest = {
      type: 'capture',
      protocol: PROTOCOL_TEXT,
      session: this.#sessionId(),
      targets,
      interface: settings.interface,
      ...(settings.filter === undefined ? {} : { filter: settings.filter }),
      snaplen: settings.snaplen,
      maxDurationMs: settings.maxDurationMs,
    };
    let started = false;
    this.#endReason = undefined;
    const session = new AgentSession(request, source, (event) => {
      if (event.type === 'started') started = true;
      this.#take(event);
    });
    this.#session = session;
    if (this.#paused) session.pause();
    const end = await session.run(this.#plan.open);
    this.#session = undefined;
    if (end.kind === 'complete' && this.#endReason !== undefined && UNASKED_ENDS.includes(this.#endReason)) {
      const error = new KsnoopError('SESSION_LOST', `The agent ended the session by itself (${this.#endReason}).`);
      return { end: { kind: 'lost', error }, started };
    }
    return { end, started };
  }

  #take(event: AgentEvent): void {
    if (event.type === 'log') this.#observer.log(this.#plan.node, event.message);
    if (event.type === 'end') this.#endReason = event.reason;
    if (!('target' in event)) return;
    const target = this.#report.targets.get(event.target);
    if (target === undefined) return;
    switch (event.type) {
      case 'started':
        target.state = 'capturing';
        target.interfaces.add(event.interface);
        this.#noteResumed();
        this.#observer.started(target.key, target.label);
        return;
      case 'target-failed': {
        this.#fail(target.key, agentError(event));
        return;
      }
      case 'target-gone':
        target.state = 'gone';
        this.#observer.gone(target.key, target.label);
        return;
      case 'counters':
        target.current = event.counters;
    }
  }

  /** Of the targets that were captured, those that still live; asked until an answer comes or the user stops. */
  async #refresh(targets: readonly AgentTarget[]): Promise<readonly AgentTarget[]> {
    const wanted = targets.filter(({ key }) => {
      const state = this.#report.targets.get(key)?.state;
      return state === 'capturing' || state === 'waiting';
    });
    let living: readonly AgentTarget[];
    try {
      living = await this.#plan.refresh(wanted);
    } catch (thrown) {
      // The cluster cannot be asked (its API server restarts, say): the session's own attempt will tell.
      this.#observer.log(this.#plan.node, messageOf(thrown));
      return wanted;
    }
    for (const { key } of wanted) {
      if (living.some((target) => target.key === key)) continue;
      const target = this.#report.targets.get(key);
      if (target === undefined) continue;
      target.state = 'gone';
      this.#observer.gone(key, target.label);
    }
    return living;
  }

  #noteLoss(error: KsnoopError): void {
    if (this.#gap !== undefined) return;
    this.#gap = { node: this.#plan.node, from: new Date(), until: undefined, reason: error.message };
    this.#report.gaps.push(this.#gap);
    // After a stop nobody tries again; the summary tells of the gap.
    if (!this.#stop.signal.aborted) this.#observer.lost(this.#gap);
  }

  #noteResumed(): void {
    const gap = this.#gap;
    if (gap === undefined) return;
    this.#gap = undefined;
    gap.until = new Date();
    this.#observer.resumed(gap);
  }

  #failAll(targets: readonly AgentTarget[], error: KsnoopError): void {
    for (const { key } of targets) {
      if (this.#report.targets.get(key)?.state !== 'gone') this.#fail(key, error);
    }
  }

  #fail(key: string, error: KsnoopError): void {
    const target = this.#report.targets.get(key);
    if (target === undefined || target.state === 'failed') return;
    target.state = 'failed';
    target.error = error;
    this.#observer.failed(key, target.label, error);
  }
}
