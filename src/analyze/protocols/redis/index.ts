import { PENDING_PER_STREAM } from '../../limits.ts';
import type { Exchange, Incomplete } from '../../record/event.ts';
import { SIDE, type Side } from '../../record/event.ts';
import { maskText } from '../../record/secrets.ts';
import { oneLine } from '../one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd, StreamProtocol } from '../protocol.ts';
import { keyOf, masked } from './commands.ts';
import { redisLikeness } from './probe.ts';
import { ReplyMode } from './reply-mode.ts';
import { RespReader, type RespValue } from './resp-reader.ts';

const ERROR = 0x2d;
const BULK_ERROR = 0x21;
const SIMPLE = 0x2b;
const PUSH = 0x3e;
const ARRAY = 0x2a;

/** Texts kept of a value for those who look, and otherwise. */
const TEXTS = 16;
const SUBSCRIPTIONS = /^[ps]?(?:un)?subscribe$/i;
const DELIVERIES = /^[ps]?message$/i;
/** Errors that send a client elsewhere are no failures (redis.io, "Cluster specification"). */
const REDIRECTIONS = /^(?:MOVED|ASK) /;

interface Command {
  readonly name: string;
  readonly args: readonly string[];
  readonly time: number;
  readonly end: number;
  readonly bytes: number;
  readonly gap: boolean;
  /** Replies that are still to come: one for each channel of a subscription, none where the client wants none. */
  replies: number;
}

class Redis implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #client: RespReader;
  readonly #server: RespReader;
  #pending: Command[] = [];
  /** Commands sent and answered since both directions were in step. */
  #inStep = true;
  #monitoring = false;
  readonly #replies = new ReplyMode();

  constructor(context: StreamContext) {
    this.#context = context;
    const lost = () => this.#lost();
    this.#client = new RespReader(context.detail ? TEXTS : 2, true, (value) => this.#onCommand(value), lost);
    this.#server = new RespReader(context.detail ? TEXTS : 2, false, (value) => this.#onReply(value), lost);
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    const reader = side === SIDE.client ? this.#client : this.#server;
    if (reader.lost && !this.#resume(side, bytes, start, end)) return;
    reader.data(bytes, start, end, this.#context.now);
  }

  gap(side: Side, length: number): void {
    (side === SIDE.client ? this.#client : this.#server).gap(length, this.#context.now);
  }

  end(how: StreamEnd): void {
    for (const command of this.#pending.splice(0)) {
      this.#emit(command, undefined, how === 'reset' ? 'reset' : 'no response');
    }
  }

  /** After a loss commands and replies are out of step: both begin anew, the client first. */
  #resume(side: Side, bytes: Uint8Array, start: number, end: number): boolean {
    if (side === SIDE.client) {
      if (redisLikeness(bytes, start, end) !== 'client') return false;
      this.#client.restart();
      return true;
    }
    if (this.#client.lost || this.#pending.length === 0 || !isType(bytes[start] as number)) return false;
    this.#server.restart();
    this.#inStep = true;
    return true;
  }

  #lost(): void {
    this.#client.lost = true;
    this.#server.lost = true;
    this.#inStep = false;
    for (const command of this.#pending.splice(0)) this.#emit(command, undefined, 'response not captured');
  }

  #onCommand(value: RespValue): void {
    const [name = '', ...args] = value.texts;
    const command = name.toUpperCase();
    if (this.#pending.length >= PENDING_PER_STREAM) {
      const oldest = this.#pending.shift();
      if (oldest !== undefined) this.#emit(oldest, undefined, 'no response');
    }
    const silent = this.#replies.isSilent(command, args);
    const sent = {
      name: oneLine(command),
      args: this.#context.showSecrets ? args : masked(command, args),
      time: value.firstTime,
      end: value.lastTime,
      bytes: value.octets,
      gap: value.gap,
      replies: silent ? 0 : SUBSCRIPTIONS.test(command) ? Math.max(1, value.items - 1) : 1,
    };
    if (silent) this.#emit(sent, undefined, value.gap ? 'response not captured' : undefined);
    else this.#pending.push(sent);
  }

  #onReply(value: RespValue): void {
    const [kind = ''] = value.texts;
    const several = value.type === PUSH || value.type === ARRAY;
    const [first] = this.#pending;
    if (several && DELIVERIES.test(kind) && (value.type === PUSH || first === undefined || !isFetch(first))) {
      this.#message(value, kind);
      return;
    }
    const subscription = several && SUBSCRIPTIONS.test(kind) && first !== undefined && SUBSCRIPTIONS.test(first.name);
    if (value.type === PUSH && !subscription) {
      this.#message(value, kind);
      return;
    }
    if (first === undefined) {
      // A reply whose command was not seen says nothing; what MONITOR sends is asked for once.
      if (this.#monitoring && value.type === SIMPLE) this.#message(value, kind);
      return;
    }
    if (SUBSCRIPTIONS.test(first.name) && subscription) {
      first.replies -= 1;
      if (first.replies > 0) return;
    }
    this.#pending.shift();
    this.#monitoring ||= first.name === 'MONITOR';
    this.#emit(first, value, first.gap || value.gap ? 'response not captured' : undefined);
  }

  /** What nobody asked for: published messages, invalidations, the lines of MONITOR. */
  #message(value: RespValue, kind: string): void {
    if (!this.#inStep) return;
    const [, channel = ''] = value.texts;
    const label = this.#line(value.type === SIMPLE ? kind : `${kind} ${channel}`.trim());
    this.#context.emit({
      kind: 'message',
      protocol: 'redis',
      label,
      time: value.lastTime,
      from: SIDE.server,
      bytes: value.octets,
      fields: {
        redis: {
          command: kind === '' ? undefined : this.#line(kind),
          channel: channel === '' ? undefined : oneLine(channel),
        },
      },
    });
  }

  #line(text: string): string {
    return oneLine(this.#context.showSecrets ? text : maskText(text));
  }

  #emit(command: Command, reply: RespValue | undefined, incomplete: Incomplete | undefined): void {
    const { name, args } = command;
    const isError = reply?.type === ERROR || reply?.type === BULK_ERROR;
    const error = isError ? this.#line(reply.texts[0] ?? '') : undefined;
    const key = keyOf(name, args);
    const exchange: Exchange = {
      kind: 'exchange',
      protocol: 'redis',
      label: this.#context.detail ? oneLine([name, ...args].join(' ')) : name,
      time: command.time,
      requestEnd: command.end,
      responseTime: reply?.firstTime,
      responseEnd: reply?.lastTime,
      requestBytes: command.bytes,
      responseBytes: reply?.octets ?? 0,
      status: reply === undefined ? (command.replies === 0 ? 'noreply' : '') : (error ?? statusOf(reply)),
      failed: reply === undefined ? command.replies > 0 : error !== undefined && !REDIRECTIONS.test(error),
      route: name,
      incomplete,
      fields: { redis: { command: name, key: key === undefined ? undefined : oneLine(key), error } },
    };
    this.#context.emit(exchange);
  }
}

/** LRANGE and the like answer arrays whose first item may be any word. */
function isFetch(command: Command): boolean {
  return !SUBSCRIPTIONS.test(command.name) && command.name !== 'PING';
}

function statusOf(reply: RespValue): string {
  if (reply.nil) return 'nil';
  return reply.type === SIMPLE ? oneLine((reply.texts[0] ?? '').slice(0, 32)) : '';
}

/** Whether a value can begin with it. */
function isType(octet: number): boolean {
  return '+-:$*_#,(!=%~>|'.includes(String.fromCharCode(octet));
}

/** Redis, Valkey and what speaks like them: RESP2 and RESP3. */
export const redis: StreamProtocol = {
  name: 'redis',
  title: 'Redis',
  ports: [6379],
  fields: {
    'redis.command': { type: 'string', about: 'command in upper case, `GET`; of a message its kind' },
    'redis.key': { type: 'string', about: 'first key of the command' },
    'redis.error': { type: 'string', about: "the server's error: `WRONGTYPE Operation against …`" },
    'redis.channel': { type: 'string', about: 'channel of a published message' },
  },
  probe: redisLikeness,
  create: (context) => new Redis(context),
};
