import type { AgentEvent, InterfaceCounters } from '../../wire/agent-protocol.ts';
import type { AgentTarget } from '../../wire/agent-target.ts';
import type { KsnoopError } from '../../wire/errors.ts';
import { INTERFACES_PER_TARGET } from '../limits.ts';
import { agentError } from './agent-error.ts';
import type { CaptureObserver } from './capture-observer.ts';
import { type CaptureReport, interfaceKey, type TargetReport } from './report.ts';

/** The targets of one node's stream: which are wanted, and what the agent's events make of them in the report. */
export class NodeTargets {
  readonly #report: CaptureReport;
  readonly #observer: CaptureObserver;
  readonly #wanted = new Map<string, AgentTarget>();
  /** No longer wanted, and the agent has not reported their end yet. */
  readonly #leaving = new Set<string>();

  constructor(targets: readonly AgentTarget[], report: CaptureReport, observer: CaptureObserver) {
    this.#report = report;
    this.#observer = observer;
    for (const target of targets) this.#wanted.set(target.key, target);
  }

  get size(): number {
    return this.#wanted.size;
  }

  list(): AgentTarget[] {
    return [...this.#wanted.values()];
  }

  get(key: string): AgentTarget | undefined {
    return this.#wanted.get(key);
  }

  /** @returns whether the agent has to be informed */
  add(target: AgentTarget): boolean {
    if (this.#report.targets.get(target.key)?.state === 'failed') return false;
    this.#wanted.set(target.key, target);
    this.#leaving.delete(target.key);
    return true;
  }

  /** @returns whether it was wanted */
  remove(key: string): boolean {
    const wanted = this.#wanted.delete(key);
    if (wanted) this.#leaving.add(key);
    return wanted;
  }

  /** Of the `checked` targets only the `living` still exist, as they are now. */
  refresh(checked: readonly AgentTarget[], living: readonly AgentTarget[]): void {
    for (const { key } of checked) {
      const now = living.find((target) => target.key === key);
      if (now !== undefined && this.#wanted.has(key)) this.#wanted.set(key, now);
      else if (this.#wanted.delete(key)) this.#gone(key);
    }
  }

  /** An agent's event about one of them. @param stream serial number of the session's stream */
  take(event: Extract<AgentEvent, { readonly target: string }>, stream: number): void {
    const target = this.#report.targets.get(event.target);
    if (target === undefined) return;
    switch (event.type) {
      case 'started':
        this.#started(target, interfaceKey(stream, event.id ?? event.interface), event.sandboxMs);
        return;
      case 'target-waiting':
        this.#observer.waiting(target.key, target.label, event.message);
        return;
      case 'target-failed':
        this.fail(target.key, agentError(event));
        return;
      case 'target-gone':
        this.#gone(target.key);
        return;
      case 'counters':
        this.#count(target.counters, interfaceKey(stream, event.id ?? ''), event.counters);
    }
  }

  /** A session has ended: what was to leave has left. */
  sessionEnded(): void {
    for (const key of this.#leaving) this.#gone(key);
  }

  fail(key: string, error: KsnoopError): void {
    this.#wanted.delete(key);
    const target = this.#report.targets.get(key);
    if (target === undefined || target.state === 'failed') return;
    target.state = 'failed';
    target.error = error;
    this.#observer.failed(key, target.label, error);
  }

  failAll(error: KsnoopError): void {
    for (const key of [...this.#wanted.keys()]) {
      if (this.#report.targets.get(key)?.state !== 'gone') this.fail(key, error);
    }
    this.#wanted.clear();
  }

  #started(target: TargetReport, interfaceOfIt: string, sandboxMs: number | undefined): void {
    target.state = 'capturing';
    if (target.interfaces.size < INTERFACES_PER_TARGET) target.interfaces.add(interfaceOfIt);
    this.#observer.started(target.key, target.label, { joined: target.joined !== undefined, sandboxMs });
  }

  #count(counters: Map<string, InterfaceCounters>, key: string, now: InterfaceCounters): void {
    if (counters.size < INTERFACES_PER_TARGET || counters.has(key)) counters.set(key, now);
  }

  #gone(key: string): void {
    this.#leaving.delete(key);
    const target = this.#report.targets.get(key);
    if (target === undefined || target.state === 'gone' || target.state === 'failed') return;
    target.state = 'gone';
    target.left = new Date();
    this.#observer.gone(key, target.label);
  }
}
