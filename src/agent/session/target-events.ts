import type { AgentTarget } from '../../wire/agent-target.ts';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import type { Events } from './events.ts';
import type { NamespaceCapture } from './namespace-capture.ts';

/** Events about single targets. */
export class TargetEvents {
  /** The first reason why a target could not be captured. */
  firstError: KsnoopError | undefined;
  readonly #events: Pick<Events, 'send'>;

  constructor(events: Pick<Events, 'send'>) {
    this.#events = events;
  }

  failed({ key }: AgentTarget, thrown: unknown): void {
    const error = thrown instanceof KsnoopError ? thrown : new KsnoopError('CAPTURE_FAILED', messageOf(thrown));
    this.firstError ??= error;
    const { code, message, hint } = error;
    this.#events.send({ type: 'target-failed', target: key, code, message, ...(hint && { hint }) });
  }

  waits({ key }: AgentTarget, message: string): void {
    this.#events.send({ type: 'target-waiting', target: key, message });
  }

  /** A target is being captured. */
  started({ active, waitedFor, namespace }: NamespaceCapture, target: string): void {
    if (active === undefined) return;
    const { name, id } = active;
    const sandboxMs = waitedFor ? namespace.age() : undefined;
    const more = { ...(id !== undefined && { id }), ...(sandboxMs !== undefined && { sandboxMs }) };
    this.#events.send({ type: 'started', target, interface: name, ...more });
  }

  gone(key: string): void {
    this.#events.send({ type: 'target-gone', target: key });
  }

  counters({ active, targets, removed }: NamespaceCapture): void {
    if (active === undefined) return;
    const { id, counters } = active;
    for (const target of [...removed, ...targets.keys()]) {
      this.#events.send({ type: 'counters', target, ...(id !== undefined && { id }), counters });
    }
  }
}
