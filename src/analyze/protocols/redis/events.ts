import { type Exchange, type Incomplete, type Message, SIDE, type Side } from '../../record/event.ts';
import { maskText } from '../../record/secrets.ts';
import { oneLine } from '../one-line.ts';
import type { StreamContext } from '../protocol.ts';
import { isFailure, REQUEST_NOT_SEEN, REQUEST_UNKNOWN } from '../unfinished.ts';
import { keyOf, maskEcho, masked, maskMonitored } from './commands.ts';
import type { RespValue } from './resp-reader.ts';

export const SIMPLE = 0x2b;
const ERROR = 0x2d;
const BULK_ERROR = 0x21;

/** Errors that send a client elsewhere are no failures (redis.io, "Cluster specification"). */
const REDIRECTIONS = /^(?:MOVED|ASK) /;

/** A command as it was sent. */
export interface Command {
  readonly name: string;
  readonly args: readonly string[];
  /** Confirmations that a subscription command awaits; 0 without arguments: as many as there are subscriptions. */
  readonly confirmations: number;
  readonly time: number;
  readonly end: number;
  readonly timed: boolean;
  readonly bytes: number;
  /** Stream offset of its first byte. */
  readonly start: number;
  readonly acknowledged: number;
  readonly gap: boolean;
}

/** What is stated of a reply, or of several that belong to one command. */
export interface Reply {
  readonly firstTime: number;
  /** Undefined where its last byte was not seen. */
  readonly lastTime: number | undefined;
  readonly timed: boolean;
  readonly bytes: number;
  /** -1 where its beginning does not state it. */
  readonly declared: number;
  readonly gap: boolean;
  readonly status: string;
  readonly error: string | undefined;
}

export function isError(value: RespValue): boolean {
  return value.type === ERROR || value.type === BULK_ERROR;
}

/** The command that a value of the client is. @param end stream offset behind it */
export function commandOf(value: RespValue, { showSecrets }: StreamContext, confirmations: number): Command {
  const [name = '', ...args] = value.texts;
  const command = name.toUpperCase();
  return {
    name: oneLine(command),
    args: showSecrets ? args : masked(command, args),
    confirmations,
    time: value.firstTime,
    end: value.lastTime,
    timed: value.timed,
    bytes: value.bytes,
    start: value.start,
    acknowledged: value.acknowledged,
    gap: value.gap,
  };
}

/** @param whole its last byte came */
export function replyOf(value: RespValue, context: StreamContext, whole: boolean): Reply {
  const error = isError(value) && whole ? line(value.texts[0] ?? '', context) : undefined;
  return {
    firstTime: value.firstTime,
    lastTime: whole ? value.lastTime : undefined,
    timed: value.timed,
    bytes: value.bytes,
    declared: value.declared,
    gap: value.gap,
    status: error ?? (whole ? statusOf(value) : ''),
    error,
  };
}

/** Two replies to one command, one after the other. */
export function joined(first: Reply, next: Reply): Reply {
  return {
    ...next,
    firstTime: first.firstTime,
    timed: first.timed && next.timed,
    bytes: first.bytes + next.bytes,
    declared: -1,
    gap: first.gap || next.gap,
  };
}

export interface Outcome {
  readonly reply?: Reply | undefined;
  readonly incomplete?: Incomplete | undefined;
  readonly endedBy?: Side | undefined;
  /** Status of what has no reply. */
  readonly status?: string;
}

/** A command and what came of it. */
export function exchangeOf(command: Command, outcome: Outcome, { detail, labels }: StreamContext): Exchange {
  const { name, args } = command;
  const { reply, incomplete, endedBy, status = '' } = outcome;
  const key = keyOf(name, args);
  const timed = command.timed && reply?.timed === true;
  return {
    kind: 'exchange',
    protocol: 'redis',
    label: detail || labels === true ? oneLine([name, ...args].join(' ')) : name,
    time: command.time,
    requestEnd: command.end,
    responseTime: timed ? reply.firstTime : undefined,
    responseEnd: timed ? reply.lastTime : undefined,
    requestBytes: command.bytes,
    responseBytes: reply?.bytes ?? 0,
    declaredBytes: declared(reply, incomplete),
    endedBy,
    status: reply?.status ?? status,
    failed: isFailed(reply, incomplete),
    route: name,
    incomplete: incomplete ?? missing(command.gap, reply?.gap ?? false),
    fields: { redis: { command: name, key: key === undefined ? undefined : oneLine(key), error: reply?.error } },
  };
}

/** A reply to a command that was not captured, or, with `unknown`, that the packets do not prove. */
export function replyAlone(reply: Reply, incomplete: 'request not seen' | 'unknown'): Exchange {
  const label = incomplete === 'unknown' ? REQUEST_UNKNOWN : REQUEST_NOT_SEEN;
  return {
    kind: 'exchange',
    protocol: 'redis',
    label,
    time: reply.firstTime,
    requestEnd: reply.firstTime,
    responseTime: reply.timed ? reply.firstTime : undefined,
    responseEnd: reply.timed ? reply.lastTime : undefined,
    requestBytes: 0,
    responseBytes: reply.bytes,
    declaredBytes: declared(reply, incomplete),
    status: reply.status,
    failed: isFailed(reply, undefined),
    route: label,
    incomplete,
    fields: { redis: { error: reply.error } },
  };
}

/** What one side sends without being asked: published messages, invalidations, lines of MONITOR. */
export function messageOf(value: RespValue, kind: string, context: StreamContext): Message {
  const [, channel = ''] = value.texts;
  return {
    kind: 'message',
    protocol: 'redis',
    label: line(value.type === SIMPLE ? kind : `${kind} ${channel}`.trim(), context),
    time: value.lastTime,
    from: SIDE.server,
    bytes: value.bytes,
    fields: {
      redis: {
        command: kind === '' ? undefined : line(kind, context),
        channel: channel === '' ? undefined : oneLine(channel),
      },
    },
  };
}

/** A command without a reply: of a replication stream. */
export function replicated({ name, args, bytes, end }: Command, from: Side, { detail }: StreamContext): Message {
  const key = keyOf(name, args);
  return {
    kind: 'message',
    protocol: 'redis',
    label: detail ? oneLine([name, ...args].join(' ')) : name,
    time: end,
    from,
    bytes,
    fields: { redis: { command: name, key: key === undefined ? undefined : oneLine(key) } },
  };
}

/** The dataset that a master sends before its commands. */
export function snapshotOf(value: RespValue): Message {
  return {
    kind: 'message',
    protocol: 'redis',
    label: 'snapshot (RDB)',
    time: value.lastTime,
    from: SIDE.server,
    bytes: value.bytes,
    fields: { redis: {} },
  };
}

function declared(reply: Reply | undefined, incomplete: Incomplete | undefined): number | undefined {
  if (reply === undefined || reply.declared < 0) return undefined;
  return incomplete === undefined && !reply.gap ? undefined : reply.declared;
}

function isFailed(reply: Reply | undefined, incomplete: Incomplete | undefined): boolean {
  if (reply?.error !== undefined) return !REDIRECTIONS.test(reply.error);
  return isFailure(incomplete);
}

function missing(ofCommand: boolean, ofReply: boolean): Incomplete | undefined {
  return ofCommand ? 'request not captured' : ofReply ? 'response not captured' : undefined;
}

function statusOf(value: RespValue): string {
  if (value.nil) return 'nil';
  return value.type === SIMPLE ? oneLine((value.texts[0] ?? '').slice(0, 32)) : '';
}

function line(text: string, { showSecrets }: StreamContext): string {
  return oneLine(showSecrets ? text : maskText(maskEcho(maskMonitored(text))));
}
