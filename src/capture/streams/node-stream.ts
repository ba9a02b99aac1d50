import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AgentEvent,
  type CaptureRequest,
  type EdgeRequest,
  type EndReason,
  endReasonIn,
} from '../../wire/agent-protocol.ts';
import type { AgentTarget } from '../../wire/agent-target.ts';
import { Backoff } from '../../wire/backoff.ts';
import { type ErrorCode, KsnoopError, messageOf } from '../../wire/errors.ts';
import { PROTOCOL_TEXT, speaksAtLeast } from '../../wire/version.ts';
import { RECONNECT_FIRST_MS, RECONNECT_LAST_MS, RECONNECT_TOTAL_MS, STILL_THERE_MS } from '../limits.ts';
import type { CaptureObserver } from './capture-observer.ts';
import type { Merge } from './merge.ts';
import type { MergeSource } from './merge-source.ts';
import type { NodeRef } from './node-ref.ts';
import { NodeTargets } from './node-targets.ts';
import type { CaptureReport, Gap } from './report.ts';
import { AgentSession, type SessionEnd } from './session.ts';
import type { OpenTransport } from './transport.ts';

/** What to capture of every target. */
export interface CaptureSettings {
  readonly interface: string;
  readonly filter: string | undefined;
  readonly snaplen: number;
  readonly maxDurationMs: number;
  /** Targets may join: a stream continues when none is left. */
  readonly follow: boolean;
  /** Bring the nodes' times to this machine's clock. */
  readonly correctClocks: boolean;
  /** How long a packet waits for an earlier one of another interface; MERGE_WINDOW_MS unless set. */
  readonly mergeWindowMs?: number | undefined;
  /** Up to how much that wait grows while packets come late; undefined: it does not. */
  readonly mergeWindowLimitMs?: number | undefined;
  /** The capture has several clusters: interfaces and messages name theirs. */
  readonly namesClusters?: boolean | undefined;
  /** Whether the state of the network namespaces is asked for; it is unless set. */
  readonly state?: boolean | undefined;
  /** The packets are analysed on their nodes: what was found comes in their place. */
  readonly edge?: EdgeRequest | undefined;
}

/** How one node is reached. Without a cluster `node` is `this machine`. */
export interface NodeAccess extends NodeRef {
  /** Connects to the node's agent; the agent's pod is looked up again for every session. */
  readonly open: OpenTransport;
  /** Those of the targets that still exist, as they are now. Rejects while the cluster cannot be reached. */
  readonly refresh: (targets: readonly AgentTarget[]) => Promise<readonly AgentTarget[]>;
}

/** One node's share of a capture. */
export interface NodePlan extends NodeAccess {
  readonly targets: readonly AgentTarget[];
}

/** Ends in good order. With any other, and with one that is not known, the agent has ended the session by itself. */
const GOOD_ENDS: readonly (EndReason | undefined)[] = ['stopped', 'duration', 'targets-gone'];

/** Refusals that another attempt cannot change. */
const FINAL_CODES = new Set<ErrorCode>([
  'BAD_FILTER',
  'UNKNOWN_INTERFACE',
  'PROTOCOL_MISMATCH',
  'FORBIDDEN',
  'INVALID_MESSAGE',
]);

/** What a node stream works with. */
export interface NodeStreamContext {
  readonly settings: CaptureSettings;
  readonly merge: Merge;
  readonly report: CaptureReport;
  readonly observer: CaptureObserver;
  /** A new session's id. */
  readonly sessionId: () => string;
  /** The way to an agent is open. */
  readonly onReached: () => void;
  /** A target is being captured. */
  readonly onStarted: () => void;
  /** No other node was part of the capture until now. */
  readonly isAlone: () => boolean;
}

/** The targets of one node through one agent, over as many sessions as it takes. */
export class NodeStream {
  readonly #plan: NodeAccess;
  readonly #context: NodeStreamContext;
  readonly #targets: NodeTargets;
  /** It joined a capture that already ran: its node may be new, and its agent not ready yet. */
  readonly #late: boolean;
  readonly #stop = new AbortController();
  #session: AgentSession | undefined;
  #wake: () => void = () => {};
  #paused = false;
  #endReason: EndReason | undefined;
  #gap: Gap | undefined;
  /** Processes of the agent's container that the kernel has killed for lack of memory, by the last session's hello. */
  #kills: number | undefined;
  /** The stream of the session under way or of the last one, and since when its targets are captured. */
  #source: MergeSource | undefined;
  #capturingSince: number | undefined;
  /** The targets that the session under way began with. */
  #requested: ReadonlySet<string> = new Set();
  /** Resolves when the session under way has been told that another node joins. */
  #notAlone = Promise.withResolvers<void>();
  /** False when the session's agent cannot take targets while it captures. */
  #takesTargets = true;

  constructor(plan: NodePlan, context: NodeStreamContext, late = false) {
    this.#plan = plan;
    this.#context = context;
    this.#targets = new NodeTargets(plan.targets, context.report, context.observer);
    this.#late = late;
    this.#stop.signal.addEventListener('abort', () => this.#wake());
  }

  /** How its agent is reached, now; undefined when it is not. */
  get transport(): string | undefined {
    return this.#session?.transport;
  }

  /**
   * Capture until stopped, until every target is gone, or until the stream is lost for good. Never rejects.
   * @param ready what it waits for before it begins
   */
  async run(ready?: Promise<unknown>): Promise<void> {
    if (ready !== undefined) await ready;
    const backoff = new Backoff(RECONNECT_FIRST_MS, RECONNECT_LAST_MS);
    let lostAt = 0;
    while (!this.#stop.signal.aborted) {
      if (this.#targets.size === 0) {
        if (!this.#context.settings.follow) return;
        await this.#untilWanted();
        backoff.reset();
        lostAt = 0;
        continue;
      }
      const { end, begun } = await this.#runSession();
      this.#targets.sessionEnded();
      if (begun) backoff.reset();
      if (this.#stop.signal.aborted) {
        if (end.kind !== 'complete') this.#noteLoss(end.error);
        return;
      }
      if (end.kind === 'complete') {
        // Targets that join after an agent has ended without targets are captured by another session.
        if (this.#endReason !== 'targets-gone' || !this.#context.settings.follow) return;
      } else {
        // What an agent has ended by itself it had begun with, also where no target was captured yet.
        const known = begun || this.#gap !== undefined || end.error.code === 'SESSION_LOST';
        if (begun || lostAt === 0) lostAt = performance.now();
        const hopeless = FINAL_CODES.has(end.error.code) || performance.now() - lostAt > RECONNECT_TOTAL_MS;
        if (hopeless || !(known || this.#late)) {
          this.#targets.failAll(end.error);
          return;
        }
        if (known) this.#noteLoss(end.error);
        else this.#context.observer.log(this.#plan.node, end.error.message);
      }
      await sleep(backoff.next(), undefined, { signal: this.#stop.signal }).catch(() => {});
      if (this.#stop.signal.aborted) return;
      await this.#refresh();
    }
  }

  /** One more target, or what has changed about one. */
  add(target: AgentTarget): void {
    if (!this.#targets.add(target)) return;
    if (this.#takesTargets) this.#session?.send({ type: 'add', target });
    else if (!this.#requested.has(target.key)) this.#targets.fail(target.key, this.#tooOld());
    this.#wake();
  }

  /** Another node joins the capture. Resolves when the agent here no longer adds up connections, or has no session. */
  async notAlone(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    this.#notAlone = Promise.withResolvers();
    session.send({ type: 'not-alone' });
    await this.#notAlone.promise;
  }

  /** A target that is no longer wanted. */
  remove(key: string): void {
    if (!this.#targets.remove(key)) return;
    if (this.#session === undefined) this.#targets.sessionEnded();
    else this.#session.send({ type: 'remove', key });
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

  async #runSession(): Promise<{ end: SessionEnd; begun: boolean }> {
    const { settings, merge, sessionId } = this.#context;
    const source = merge.addSource(this.#plan.node, this.#plan.cluster, settings.namesClusters === true);
    if (this.#gap !== undefined) source.lostSince = this.#gap;
    this.#source = source;
    this.#capturingSince = undefined;
    const request: CaptureRequest = {
      type: 'capture',
      protocol: PROTOCOL_TEXT,
      session: sessionId(),
      targets: this.#targets.list(),
      interface: settings.interface,
      ...(settings.filter === undefined ? {} : { filter: settings.filter }),
      snaplen: settings.snaplen,
      maxDurationMs: settings.maxDurationMs,
      ...(settings.state !== false && { state: true }),
      ...(settings.follow && { follow: true }),
      ...(settings.edge && { edge: { ...settings.edge, ...(this.#context.isAlone() && { alone: true }) } }),
    };
    let begun = false;
    this.#endReason = undefined;
    this.#requested = new Set(request.targets.map(({ key }) => key));
    this.#takesTargets = true;
    const session = new AgentSession(request, source, (event) => {
      if (event.type === 'started' || event.type === 'target-waiting') begun = true;
      this.#take(event, source.serial);
    });
    this.#session = session;
    if (this.#paused) session.pause();
    const explainLoss = (reason: string) => this.#explainLoss(reason);
    const end = await session.run(async (handlers, signal) => {
      const { onReached } = this.#context;
      const transport = await this.#plan.open({ ...handlers, explainLoss, underWay: onReached }, signal);
      onReached();
      return transport;
    });
    this.#session = undefined;
    this.#notAlone.resolve();
    this.#takesTargets = true;
    if (end.kind !== 'complete') return { end, begun };
    // Its last event may not have arrived: the end marker has the reason as well.
    this.#endReason ??= endReasonIn(source.endMarker);
    if (GOOD_ENDS.includes(this.#endReason)) return { end, begun };
    return { end: { kind: 'lost', error: unrequested(this.#endReason) }, begun };
  }

  /** Why the stream was lost: known when the agent is reached again. */
  #explainLoss(reason: string): void {
    if (this.#gap !== undefined) this.#gap.reason = reason;
    this.#context.observer.log(this.#plan.node, reason);
  }

  /** A count that has grown since the session before: a process of the agent's container was killed, perhaps that session's. */
  #noteKills(kills: number): void {
    const more = kills - (this.#kills ?? kills);
    this.#kills = kills;
    if (more <= 0 || this.#gap === undefined) return;
    const what = `The kernel has killed ${more} ${more === 1 ? 'process' : 'processes'} of the agent's container: out of memory.`;
    this.#explainLoss(`${this.#gap.reason} ${what}`);
  }

  #take(event: AgentEvent, stream: number): void {
    if (event.type === 'hello' && event.kills !== undefined) this.#noteKills(event.kills);
    if (event.type === 'log') this.#context.observer.log(this.#plan.node, event.message);
    if (event.type === 'end') this.#endReason = event.reason;
    if (event.type === 'not-alone') this.#notAlone.resolve();
    if (event.type === 'hello' && !speaksAtLeast(event.protocol, 1)) {
      this.#takesTargets = false;
      for (const { key } of this.#targets.list())
        if (!this.#requested.has(key)) this.#targets.fail(key, this.#tooOld());
    }
    if (!('target' in event)) return;
    if (event.type === 'started') {
      this.#noteResumed();
      this.#capturingSince ??= Date.now();
    }
    this.#targets.take(event.type === 'started' ? this.#named(event) : event, stream);
    if (event.type === 'started') this.#context.onStarted();
    if (event.type === 'target-gone') void this.#askWhetherGone(event.target);
  }

  /** An interface is called as in the merged stream: an agent older than 1.1 has no number for it. */
  #named(event: Extract<AgentEvent, { readonly type: 'started' }>): typeof event {
    if (this.#context.settings.namesClusters !== true) return event;
    return { ...event, interface: `${this.#plan.cluster}/${event.interface}` };
  }

  /**
   * A pod without network may get another one; where no watch reports its end, the cluster is asked whether it exists.
   */
  async #askWhetherGone(key: string): Promise<void> {
    const target = this.#targets.get(key);
    if (target?.kind !== 'pod' || target.wait !== true || this.#context.settings.follow) return;
    for (const wait of STILL_THERE_MS) {
      await sleep(wait, undefined, { signal: this.#stop.signal }).catch(() => {});
      const gone = this.#context.report.targets.get(key)?.state === 'gone';
      if (this.#stop.signal.aborted || !gone || this.#targets.get(key) === undefined) return;
      const living = await this.#plan.refresh([target]).catch(() => [target]);
      if (living.length > 0) continue;
      this.remove(key);
      return;
    }
  }

  /** Refresh the wanted targets: those that still exist, as they are now. */
  async #refresh(): Promise<void> {
    const wanted = this.#targets.list();
    if (wanted.length === 0) return;
    try {
      this.#targets.refresh(wanted, await this.#plan.refresh(wanted));
    } catch (thrown) {
      // The cluster cannot be reached (its API server restarts, for example): the session's own attempt decides.
      this.#context.observer.log(this.#plan.node, messageOf(thrown));
    }
  }

  async #untilWanted(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = () => {};
  }

  #tooOld(): KsnoopError {
    const message = `The agent on ${this.#plan.node} is too old to take targets while it captures.`;
    const hint = 'Bring the agents to this version: ksnoop install --image IMAGE';
    return new KsnoopError('AGENT_TOO_OLD', message, { hint });
  }

  #noteLoss(error: KsnoopError): void {
    if (this.#gap !== undefined) return;
    const { cluster, node } = this.#plan;
    const label = this.#context.settings.namesClusters === true ? `${cluster}/${node}` : node;
    const from = this.#deliveredUntil();
    const incompleteSince = this.#incompleteSince(from);
    this.#gap = { cluster, node, label, from, until: undefined, incompleteSince, reason: error.message };
    this.#context.report.gaps.push(this.#gap);
    // After a stop the stream is not taken up again; the summary has the gap.
    if (!this.#stop.signal.aborted) this.#context.observer.lost(this.#gap);
  }

  /** What came after this time is missing: a connection that is cut is noticed later than that. */
  #deliveredUntil(): Date {
    const now = Date.now();
    const last = this.#source?.deliveredUntil?.getTime() ?? 0;
    return new Date(Math.min(now, Math.max(last, this.#capturingSince ?? now)));
  }

  /**
   * Since when what its analysis added up had not come when it was lost.
   * @param from when the gap begins: it has whatever is missing later
   */
  #incompleteSince(from: Date): Date | undefined {
    if (this.#context.settings.edge?.counts !== true) return undefined;
    const { wholeUntil: whole, deliveredUntil: delivered } = this.#source ?? {};
    if (whole === undefined || delivered === undefined) return undefined;
    return whole < delivered && whole < from ? whole : undefined;
  }

  #noteResumed(): void {
    const gap = this.#gap;
    if (gap === undefined) return;
    this.#gap = undefined;
    gap.until = new Date();
    this.#context.observer.resumed(gap);
  }
}

function unrequested(reason: EndReason | undefined): KsnoopError {
  if (reason !== 'tickets') {
    return new KsnoopError(
      'SESSION_LOST',
      `The agent ended the session by itself (${reason ?? 'for no known reason'}).`,
    );
  }
  return new KsnoopError('TICKET_EXPIRED', 'The agent ended the session: its last ticket has expired.', {
    hint: 'Either the permission to capture was withdrawn, or the controller does not run: kubectl describe capture',
  });
}
