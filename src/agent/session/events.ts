import type { Writable } from 'node:stream';
import type { AgentEvent } from '../../wire/agent-protocol.ts';
import { EVENT_BACKLOG_BYTES } from '../limits.ts';

/** Writes events to stderr, one JSON line each. */
export class Events {
  readonly #stderr: Writable;

  constructor(stderr: Writable) {
    this.#stderr = stderr;
    stderr.on('error', () => {});
  }

  send(event: AgentEvent): void {
    const repeated = event.type === 'counters' || event.type === 'alive' || event.type === 'clock';
    if (repeated && this.#stderr.writableLength > EVENT_BACKLOG_BYTES) return;
    this.#stderr.write(`${JSON.stringify(event)}\n`);
  }

  /** Resolves when all events have been written, or can no longer be. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stderr.destroyed) resolve();
      else this.#stderr.write('', () => resolve());
    });
  }
}
