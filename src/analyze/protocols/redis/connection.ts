import { type Incomplete, SIDE, type Side } from '../../record/event.ts';
import { PairedStream } from '../paired-stream.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { unfinished } from '../unfinished.ts';
import {
  type Command,
  commandOf,
  exchangeOf,
  joined,
  messageOf,
  type Outcome,
  type Reply,
  replicated,
  replyAlone,
  replyOf,
  SIMPLE,
  snapshotOf,
} from './events.ts';
import { commandAt, isMonitorLine, isSingleReply, sentUnasked } from './probe.ts';
import { ReplyMode } from './reply-mode.ts';
import { RespReader, type RespValue } from './resp-reader.ts';
import { isSubscription, Subscriptions } from './subscriptions.ts';

/** The shortest command is an array of one word of one letter. */
const NAMES = { protocol: 'redis', title: 'Redis', request: 'command', answer: 'reply', shortest: 11 };

const PUSH = 0x3e;
const ARRAY = 0x2a;
const BULK = 0x24;

/** Texts kept of a value for those who look, and otherwise: of a confirmation the third is its count. */
const TEXTS = 16;
const TEXTS_LEAST = 3;

const DELIVERIES = /^[ps]?message$/i;
/** Replies after which a connection carries a replication stream. */
const REPLICATION = /^(?:FULLRESYNC|CONTINUE|RDBCHANNELSYNC)\b/;
/** Commands whose success is that the server ends the connection. */
const ENDS_CONNECTION = new Set(['SHUTDOWN', 'QUIT']);

/** After which the server ends the connection (processMultibulkBuffer in its networking.c). */
const PROTOCOL_ERROR = /^ERR Protocol error\b/;

/** A command that a reply answers; `unknown` where that is likely only. */
interface Answered {
  readonly command: Command;
  readonly doubt: 'unknown' | undefined;
}

/** A subscription command whose confirmations are coming. */
interface Confirming extends Answered {
  /** Confirmations still to come; NaN where that is not known. */
  left: number;
  reply: Reply;
}

/** Redis of one connection: commands and their replies in order, and what is sent unasked between them. */
export class RedisConnection implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #client: RespReader;
  readonly #server: RespReader;
  readonly #stream: PairedStream<Command>;
  readonly #replies = new ReplyMode();
  readonly #subscriptions: Subscriptions;
  #confirming: Confirming | undefined;
  /** The connection carries a replication stream: both sides send commands that have no answers. */
  #replicating = false;
  #requested = false;
  /** A command was refused while it was being sent: what else of it comes is nothing. */
  #isRefused = false;
  /** When the client's last bytes came, ns. */
  #sentAt = 0;

  constructor(context: StreamContext) {
    this.#context = context;
    this.#stream = new PairedStream<Command>(context, NAMES, (command, incomplete, endedBy) => {
      if (incomplete === 'no response' && ENDS_CONNECTION.has(command.name)) this.#emit(command, { status: 'closed' });
      else this.#emit(command, { incomplete, endedBy });
    });
    this.#subscriptions = new Subscriptions(!context.midstream);
    const texts = context.detail || context.labels === true ? TEXTS : TEXTS_LEAST;
    this.#client = new RespReader({ texts, inline: true, onValue: (value) => this.#onCommand(value) });
    this.#server = new RespReader({ texts, inline: false, onValue: (value) => this.#onReply(value) });
    // In the middle of a connection nothing proves that the server's first bytes begin a reply.
    this.#server.lost = context.midstream;
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    const { offset } = this.#context;
    const unheard = this.#stream.unheard(side);
    if (unheard > 0) this.gap(side, unheard);
    this.#stream.delivered(side, end - start);
    if (side === SIDE.client) {
      if (this.#isRefused) return;
      this.#sentAt = this.#context.now;
    }
    const reader = side === SIDE.client ? this.#client : this.#server;
    let at = start;
    if (reader.lost) {
      at = this.#resume(side, bytes, start, end);
      if (at !== start) this.#stream.skipped(side, offset, (at < 0 ? end : at) - start);
      if (at < 0) return;
      reader.restart();
      this.#stream.understood(side);
    }
    reader.data(bytes, at, end, offset + at - start, this.#context);
    if (!reader.lost) return;
    this.#lost(side);
    this.#stream.skipped(side, reader.value.start, offset + end - start - reader.value.start);
  }

  gap(side: Side, length: number): void {
    const offset = this.#stream.gap(side, length);
    const reader = side === SIDE.client ? this.#client : this.#server;
    if (reader.gap(length)) return;
    // What the hole cuts off in the client's stream was sent before what follows it; in the server's, it was an answer before.
    if (side === SIDE.client) this.#stream.missed(side, offset, length);
    if (reader.begun) this.#cutOff(side, side === SIDE.client ? 'request not captured' : 'response not captured');
    this.#lost(side);
    if (side === SIDE.server) this.#stream.missed(side, offset, length);
    reader.lose();
  }

  end(how: StreamEnd, by?: Side): void {
    if (this.#server.begun) this.#cutOff(SIDE.server, unfinished(how, true), by);
    else if (this.#confirming !== undefined) this.#finishConfirming(unfinished(how, true), by);
    if (this.#client.begun) this.#cutOff(SIDE.client, unfinished(how, false), by);
    this.#stream.end(how, by);
  }

  /** Where reading continues after a loss. @returns -1 where that is not in these bytes */
  #resume(side: Side, bytes: Uint8Array, start: number, end: number): number {
    if (side === SIDE.client || this.#replicating) return commandAt(bytes, start, end);
    if (sentUnasked(bytes, start, end)) return start;
    if (this.#stream.size > 0) return this.#stream.answerBegins && isType(bytes[start]) ? start : -1;
    return isSingleReply(bytes, start, end) ? start : -1;
  }

  /** Where values of a side begin is not known from here on. */
  #lost(side: Side): void {
    if (side === SIDE.client) return;
    this.#subscriptions.forget();
    if (this.#confirming !== undefined) this.#finishConfirming('response not captured');
  }

  /** A value of which the beginning came, and no more will. */
  #cutOff(side: Side, why: Incomplete, by?: Side): void {
    const reader = side === SIDE.client ? this.#client : this.#server;
    const { value } = reader;
    if (side === SIDE.client) {
      // Without its name it is nothing that can be stated.
      if (value.texts.length === 0 || this.#replicating) return;
      if (why === 'request not captured') value.gap = true;
      else {
        this.#emit(commandOf(value, this.#context, 0), { incomplete: why, endedBy: by });
        return;
      }
      this.#onCommand(value);
      return;
    }
    const reply = replyOf(value, this.#context, false);
    if (this.#replicating || value.type === PUSH || this.#isDelivery(value)) return;
    if (this.#confirming !== undefined) {
      this.#confirming.reply = joined(this.#confirming.reply, reply);
      this.#finishConfirming(why, by);
      return;
    }
    const answered = this.#commandFor(value, reply);
    if (answered !== undefined) this.#emit(answered.command, { reply, incomplete: answered.doubt ?? why, endedBy: by });
  }

  /** @param sent client offset behind the bytes that the server has received, where it does not wait for more */
  #onCommand(value: RespValue, sent?: number): void {
    const [name = '', ...args] = value.texts;
    if (value.items === 0) return;
    const command = name.toUpperCase();
    const isAcknowledgment = command === 'REPLCONF' && args[0]?.toUpperCase() === 'ACK';
    if (isAcknowledgment && !this.#replicating) this.#replicate();
    if (this.#replicating) {
      this.#replicated(commandOf(value, this.#context, 0), SIDE.client);
      return;
    }
    this.#requested = true;
    const silent = this.#replies.isSilent(command, args);
    const confirmations = isSubscription(command) ? value.items - 1 : 1;
    const asked = commandOf(value, this.#context, confirmations);
    if (silent) {
      this.#emit(asked, { status: 'noreply' });
      return;
    }
    const { start, acknowledged } = value;
    // Of one that was not captured whole at least these bytes.
    const end = sent ?? start + value.bytes;
    this.#stream.push(asked, { start, end, acknowledged });
    if (command === 'SYNC' && this.#stream.size === 1) this.#server.expectSnapshot();
  }

  /** The server refuses a command that is still being sent, such as one with a value that is too long, and ends the connection. */
  #refuse({ acknowledged }: RespValue): void {
    const { value } = this.#client;
    const end = value.start + value.bytes;
    if (value.texts.length === 0 || acknowledged <= value.start) return;
    value.lastTime = this.#sentAt;
    this.#onCommand(value, Math.min(end, acknowledged));
    this.#client.lose();
    this.#isRefused = true;
  }

  /** From here on both sides send commands without replies. */
  #replicate(): void {
    this.#replicating = true;
    for (const command of this.#stream.resynchronise()) this.#replicated(command, SIDE.client);
  }

  #replicated(command: Command, from: Side): void {
    this.#context.emit(replicated(command, from, this.#context));
  }

  #onReply(value: RespValue): void {
    const [kind = ''] = value.texts;
    if (value.type === ARRAY && kind.toUpperCase() === 'REPLCONF') {
      const [, option = ''] = value.texts;
      // Who is the master was guessed wrong, or its stream began before the capture.
      if (/^(?:ACK|GETACK)$/i.test(option) && !this.#replicating) this.#replicate();
    }
    if (this.#replicating) {
      if (value.type === ARRAY) this.#replicated(commandOf(value, this.#context, 0), SIDE.server);
      else if (value.type === BULK) this.#context.emit(snapshotOf(value));
      return;
    }
    if (this.#isDelivery(value)) {
      this.#context.emit(messageOf(value, kind, this.#context));
      return;
    }
    if ((value.type === PUSH || value.type === ARRAY) && isSubscription(kind) && this.#confirms(value, kind)) return;
    if (value.type === PUSH) {
      this.#context.emit(messageOf(value, kind, this.#context));
      return;
    }
    if (this.#stream.size === 0 && this.#client.begun && PROTOCOL_ERROR.test(kind)) this.#refuse(value);
    // The number of its confirmations was not known, and this reply is not one of them.
    if (this.#confirming !== undefined) this.#finishConfirming(undefined);
    if (value.type === SIMPLE && isMonitorLine(kind)) {
      this.#context.emit(messageOf(value, kind, this.#context));
      return;
    }
    const reply = replyOf(value, this.#context, true);
    const answered = this.#commandFor(value, reply);
    if (answered === undefined) return;
    this.#emit(answered.command, { reply, incomplete: answered.doubt });
    this.#follow(answered.command, value);
  }

  /** What a command changes once it is answered. */
  #follow({ name }: Command, value: RespValue): void {
    if (name === 'RESET') this.#subscriptions.clear();
    else if (name === 'PSYNC' && value.type === SIMPLE && REPLICATION.test(value.texts[0] ?? '')) {
      this.#replicate();
      if (value.texts[0]?.startsWith('FULLRESYNC')) this.#server.expectSnapshot();
    } else if (name === 'SYNC' && value.type === BULK) this.#replicate();
  }

  /** Whether it is a published message: what a connection without subscriptions receives is a reply, whatever its words. */
  #isDelivery({ type, texts, items }: RespValue): boolean {
    const [kind = ''] = texts;
    if (type === PUSH) return DELIVERIES.test(kind);
    if (type !== ARRAY || !DELIVERIES.test(kind) || (items !== 3 && items !== 4)) return false;
    const { active } = this.#subscriptions;
    if (active !== undefined) return active;
    const waiting = this.#stream.first;
    return waiting === undefined || isSubscription(waiting.name) || waiting.name === 'PING';
  }

  /** A confirmation of a subscription. @returns whether it is one, and not a reply that looks like it */
  #confirms(value: RespValue, kind: string): boolean {
    const count = value.items === 3 ? Number(value.texts[2]) : Number.NaN;
    const reply = replyOf(value, this.#context, true);
    const open = this.#confirming;
    if (open !== undefined && open.command.name.toLowerCase() === kind.toLowerCase()) {
      this.#subscriptions.confirm(kind, count);
      open.reply = joined(open.reply, reply);
      open.left -= 1;
      if (open.left === 0 || (Number.isNaN(open.left) && count === 0)) this.#finishConfirming(undefined);
      return true;
    }
    if (open !== undefined) this.#finishConfirming(undefined);
    const waiting = this.#stream.first;
    if (waiting === undefined || !isSubscription(waiting.name)) {
      if (value.type === ARRAY && this.#subscriptions.active === false) return false;
      // The server itself ends a subscription, as when a slot moves away; or the command was not seen.
      this.#subscriptions.confirm(kind, count);
      this.#context.emit(messageOf(value, kind, this.#context));
      return true;
    }
    const expected = this.#subscriptions.confirmationsOf(kind);
    this.#subscriptions.confirm(kind, count);
    const answered = this.#commandFor(value, undefined);
    if (answered === undefined) {
      this.#context.emit(messageOf(value, kind, this.#context));
      return true;
    }
    const left = (answered.command.confirmations > 0 ? answered.command.confirmations : expected) - 1;
    this.#confirming = { ...answered, left, reply };
    if (left === 0 || (Number.isNaN(left) && count === 0)) this.#finishConfirming(undefined);
    return true;
  }

  #finishConfirming(incomplete: Incomplete | undefined, endedBy?: Side): void {
    const open = this.#confirming;
    this.#confirming = undefined;
    if (open === undefined) return;
    const reply = { ...open.reply, status: '', error: undefined };
    this.#emit(open.command, { reply, incomplete: open.doubt ?? incomplete, endedBy });
  }

  /** The command that a reply answers; without one, the reply is stated by itself, where there is one to state. */
  #commandFor(value: RespValue, reply: Reply | undefined): Answered | undefined {
    const answer = this.#stream.answer(value.start, value.acknowledged);
    if (answer.kind === 'paired') return { command: answer.request, doubt: answer.proven ? undefined : 'unknown' };
    if (reply === undefined) return undefined;
    if (answer.kind === 'unknown') {
      // One of the commands just settled, or of those before, has this reply.
      if (answer.unpaired.length === 0) this.#context.emit(replyAlone(reply, 'unknown'));
    } else if (reply.error !== undefined && this.#isRefusal(value)) this.#refused(reply);
    else this.#context.emit(replyAlone(reply, 'request not seen'));
    return undefined;
  }

  /** An error before the server received any command: too many clients, protected mode. */
  #isRefusal({ start, acknowledged }: RespValue): boolean {
    if (this.#context.midstream || start !== this.#context.beginning(SIDE.server)) return false;
    return acknowledged === this.#context.beginning(SIDE.client) || !this.#requested;
  }

  #refused({ error = '', firstTime }: Reply): void {
    this.#context.emit({
      kind: 'event',
      protocol: 'redis',
      code: 'REDIS_REFUSED',
      label: error,
      time: firstTime,
      from: SIDE.server,
      failed: true,
      fields: { redis: { error } },
    });
  }

  #emit(command: Command, outcome: Outcome): void {
    this.#context.emit(exchangeOf(command, outcome, this.#context));
  }
}

/** Whether a value can begin with it. */
function isType(byte: number | undefined): boolean {
  return byte !== undefined && '+-:$*_#,(!=%~>|'.includes(String.fromCharCode(byte));
}
