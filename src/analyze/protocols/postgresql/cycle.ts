import type { Incomplete } from '../../record/event.ts';
import type { SqlError } from './messages.ts';

/** A request of the client; the server answers in the same order. */
export interface Step {
  readonly kind: StepKind;
  /** Undefined where it was not seen. */
  readonly sql: string | undefined;
  /** First byte: ns; NaN where the time is not known. */
  readonly time: number;
  /** Last byte: ns; NaN where the time is not known. */
  end: number;
  bytes: number;
  /** No byte of it is missing. */
  whole: boolean;
}

export type StepKind =
  | 'connect'
  | 'query'
  | 'call'
  | 'parse'
  | 'bind'
  | 'describe'
  | 'execute'
  | 'close'
  | 'sync'
  /** Replication, or another COPY in both directions, that has begun. */
  | 'stream';

/** What the server answered to a step so far. */
export interface Answered {
  /** First byte: ns; undefined where it was not seen, NaN where its time is not known. */
  time: number | undefined;
  bytes: number;
  error: SqlError | undefined;
  /** Last byte of the error: ns. */
  errorEnd: number | undefined;
  /** Of the command that was completed: `INSERT 0 1`. */
  tag: string;
  /** Bytes are missing of its CommandComplete or ErrorResponse. */
  holed: boolean;
}

/** A message of the server that is part of an answer. */
export interface PostgresqlAnswer {
  /** The message's type, one character. */
  readonly type: string;
  readonly length: number;
  /** When its first and last byte came: ns; NaN where not known. */
  readonly time: number;
  readonly last: number;
  readonly tag: string;
  readonly error: SqlError | undefined;
  /** No byte of it is missing. */
  readonly whole: boolean;
}

/** What a cycle's end needs of the connection. */
export interface CycleSink {
  /** @param last last byte of the answer: ns; undefined where it was not seen */
  finish(step: Step, answered: Answered, last: number | undefined, incomplete: Incomplete | undefined): void;
}

/**
 * How a cycle took a message: as its own; as its end; as the end of it and of the cycles behind it up to the next Sync; not
 * at all.
 */
export type Taken = 'taken' | 'end' | 'end at next sync' | 'mismatch';

/** Steps that are exchanges; the steps before them are not, unless they fail. */
export function isExchange({ kind }: Step): boolean {
  return kind === 'connect' || kind === 'query' || kind === 'execute' || kind === 'call';
}

/** Steps that the server ends with ReadyForQuery. */
export function endsCycle(kind: StepKind): boolean {
  return kind === 'sync' || kind === 'query' || kind === 'connect' || kind === 'call';
}

/** Steps with which the end of an answer is tried to begin. */
const ENDS_MAXIMUM = 32;

const NO_SINK: CycleSink = { finish: () => undefined };

export function nothingAnswered(): Answered {
  return { time: undefined, bytes: 0, error: undefined, errorEnd: undefined, tag: '', holed: false };
}

/**
 * What the server answers up to one ReadyForQuery: a query; or the steps of the extended protocol up to a Sync (PostgreSQL
 * documentation, "Message Flow"). The unit in which requests and answers are paired.
 */
export class Cycle {
  readonly steps: Step[] = [];
  /** Client offsets of its first message, and what that acknowledges of the server's stream; -1 where unknown. */
  readonly start: number;
  readonly end: number;
  readonly acknowledged: number;
  /** Client bytes were not captured that may have been steps of it. */
  holed = false;
  /** Server bytes of its answer were not captured: which step is answered is not known. */
  answerHoled = false;
  /** CopyDone or CopyFail came: before its Sync; behind it. */
  copyDone = false;
  copyDoneBehind = false;
  /** The step that the client's COPY data belong to. */
  copying: Step | undefined;
  /** Of the step that is answered next. */
  answered = nothingAnswered();
  /** An error ended it; the server ignores what comes before the next Sync. */
  #skipping = false;
  /** Its Sync came during COPY, where it is ignored: the next Sync ends it. */
  #syncIgnored = false;

  constructor(start: number, end: number, acknowledged: number) {
    this.start = start;
    this.end = end;
    this.acknowledged = acknowledged;
  }

  get skipping(): boolean {
    return this.#skipping;
  }

  /**
   * @param maximum steps that may wait
   * @returns the oldest step where there are more: it is not waited for any longer
   */
  add(step: Step, maximum: number): Step | undefined {
    this.steps.push(step);
    if (this.steps.length <= maximum) return undefined;
    this.holed = true;
    return this.steps.shift();
  }

  /** Whether these could be the messages that answer it. @param from the step that the first of them answers */
  accepts(messages: readonly PostgresqlAnswer[], from = 0): boolean {
    const copy = new Cycle(this.start, this.end, this.acknowledged);
    copy.steps.push(...this.steps.slice(from));
    copy.holed = this.holed;
    return messages.every((message) => copy.take(message, NO_SINK) !== 'mismatch');
  }

  /** Whether these could be the last messages that answer it. */
  acceptsEnd(messages: readonly PostgresqlAnswer[]): boolean {
    for (let from = 0; from < Math.max(1, Math.min(this.steps.length, ENDS_MAXIMUM)); from += 1) {
      if (this.accepts(messages, from)) return true;
    }
    return this.steps.length > ENDS_MAXIMUM;
  }

  #skipToSync(): void {
    this.#skipping = true;
    while (this.steps.length > 0 && this.steps[0]?.kind !== 'sync') this.steps.shift();
  }

  /** A row behind another message of the same answer. @returns whether it is taken */
  row(length: number): boolean {
    if (this.answered.time === undefined || this.#ofRows(this.steps[0]) === 'mismatch') return false;
    this.answered.bytes += length;
    return true;
  }

  /** The next message of the server, in step with this cycle. */
  take(message: PostgresqlAnswer, sink: CycleSink): Taken {
    const [head] = this.steps;
    const { answered } = this;
    answered.time ??= message.time;
    answered.bytes += message.length;
    if (!message.whole && (message.type === 'C' || message.type === 'E')) answered.holed = true;
    switch (message.type) {
      case '1':
        return this.#done('parse');
      case '2':
        return this.#done('bind');
      case '3':
        return this.#done('close');
      case 'n':
        return this.#done('describe');
      case 't':
        return head?.kind === 'describe' ? 'taken' : 'mismatch';
      case 'T':
        return head?.kind === 'describe' ? this.#done('describe') : this.#ofRows(head);
      case 'D':
      case 'H':
      case 'd':
      case 'c':
        return this.#ofRows(head);
      case 'G':
        return this.#copyIn(head);
      case 'W':
        return this.#copyBoth(head, message, sink);
      case 'C':
      case 'I':
      case 's':
        return this.#completed(head, message, sink);
      case 'V':
        return head?.kind === 'call' ? 'taken' : 'mismatch';
      case 'E':
        return this.#failed(head, message, sink);
      case 'Z':
        return this.#ready(head, message, sink);
      default:
        // Authentication and its like.
        return head?.kind === 'connect' ? 'taken' : 'mismatch';
    }
  }

  #done(kind: StepKind): Taken {
    if (this.steps[0]?.kind !== kind) return 'mismatch';
    this.#shift();
    return 'taken';
  }

  #shift(): void {
    if (this.steps.shift() === this.copying) this.copying = undefined;
    this.answered = nothingAnswered();
  }

  #ofRows(head: Step | undefined): Taken {
    const { kind } = head ?? { kind: undefined };
    return kind === 'query' || kind === 'execute' || kind === 'stream' ? 'taken' : 'mismatch';
  }

  #copyIn(head: Step | undefined): Taken {
    if (head === undefined || this.#ofRows(head) === 'mismatch') return 'mismatch';
    if (head.kind === 'execute' && !this.copyDone && this.steps[1]?.kind === 'sync') {
      this.steps.splice(1, 1);
      this.#syncIgnored = true;
    }
    if (!this.copyDone && !this.copyDoneBehind) this.copying = head;
    return 'taken';
  }

  /** The stream that follows does not belong to the answer: the step is done. */
  #copyBoth(head: Step | undefined, { last }: PostgresqlAnswer, sink: CycleSink): Taken {
    if (head === undefined || this.#ofRows(head) === 'mismatch') return 'mismatch';
    if (head.kind === 'stream') return 'taken';
    sink.finish(head, this.answered, last, undefined);
    this.steps[0] = { ...head, kind: 'stream' };
    this.answered = nothingAnswered();
    return 'taken';
  }

  #completed(head: Step | undefined, { last, tag }: PostgresqlAnswer, sink: CycleSink): Taken {
    if (head === undefined || this.#ofRows(head) === 'mismatch') return 'mismatch';
    this.answered.tag = tag;
    if (head.kind !== 'execute') return 'taken';
    sink.finish(head, this.answered, last, undefined);
    this.#shift();
    return 'taken';
  }

  #failed(head: Step | undefined, { last, error }: PostgresqlAnswer, sink: CycleSink): Taken {
    if (head === undefined) return 'mismatch';
    this.copying = undefined;
    // ReadyForQuery follows, and ends the exchange.
    if (head.kind === 'query' || head.kind === 'call' || head.kind === 'stream') {
      this.answered.error = error;
      this.answered.errorEnd = last;
      return 'taken';
    }
    this.answered.error = error;
    sink.finish(head, this.answered, last, undefined);
    this.answered = nothingAnswered();
    if (head.kind === 'connect') {
      this.steps.shift();
      return 'end';
    }
    // What fails at Sync is the transaction's end.
    if (head.kind !== 'sync') this.#skipToSync();
    return 'taken';
  }

  #ready(head: Step | undefined, { last }: PostgresqlAnswer, sink: CycleSink): Taken {
    if (head !== undefined && !endsCycle(head.kind) && head.kind !== 'stream') return 'mismatch';
    const atNext = head === undefined && (this.#syncIgnored || this.#skipping);
    if (head === undefined && !atNext && !this.holed) return 'mismatch';
    if (head !== undefined && isExchange(head)) sink.finish(head, this.answered, last, undefined);
    this.steps.shift();
    this.answered = nothingAnswered();
    return atNext && !this.holed ? 'end at next sync' : 'end';
  }
}
