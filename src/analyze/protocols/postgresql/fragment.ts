import type { PostgresqlAnswer } from './cycle.ts';
import type { SqlError } from './messages.ts';

/** Messages kept of an answer whose request is found at its end; rows count as one. */
const MESSAGES_MAXIMUM = 256;

/** An answer, or what was captured of it, while it is not known which cycle it answers. */
export class Fragment {
  /** Server offset of its first byte, and what that byte's packet acknowledges of the client's stream; -1 where unknown. */
  readonly start: number;
  readonly acknowledged: number;
  /** Nothing of the answer is missing before its first message. */
  readonly clean: boolean;
  readonly messages: PostgresqlAnswer[] = [];
  /** There were too many to keep. */
  overflow = false;
  bytes = 0;
  time: number | undefined;
  error: SqlError | undefined;
  errorEnd: number | undefined;
  /** Of the last command, where nothing came behind it but the answer's end. */
  tag = '';
  /** Whether any command was completed. */
  completed = false;
  /** Last byte of what decides the outcome; of its end. */
  last: number | undefined;

  /** Bytes are missing of its CommandComplete or ErrorResponse. */
  holed = false;

  constructor(start: number, acknowledged: number, clean: boolean) {
    this.start = start;
    this.acknowledged = acknowledged;
    this.clean = clean;
  }

  add(message: PostgresqlAnswer): void {
    this.time ??= message.time;
    this.bytes += message.length;
    this.last = message.last;
    if (!message.whole && (message.type === 'C' || message.type === 'E')) this.holed = true;
    if (message.type === 'E') {
      this.error = message.error;
      this.errorEnd = message.last;
    }
    if (message.type === 'C') {
      this.tag = message.tag;
      this.completed = true;
    } else if (message.type !== 'Z') this.tag = '';
    this.#keep(message);
  }

  #keep(message: PostgresqlAnswer): void {
    const before = this.messages.at(-1);
    if (before !== undefined && before.type === message.type && (message.type === 'D' || message.type === 'd')) {
      const length = before.length + message.length;
      this.messages[this.messages.length - 1] = { ...before, length, last: message.last };
    } else if (this.messages.length < MESSAGES_MAXIMUM) this.messages.push(message);
    else this.overflow = true;
  }
}
