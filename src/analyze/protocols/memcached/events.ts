import type { Exchange, Incomplete, Side } from '../../record/event.ts';
import { isFailure, REQUEST_NOT_SEEN, REQUEST_UNKNOWN } from '../unfinished.ts';

/** A request as it was sent. */
export interface MemcachedRequest {
  readonly command: string;
  readonly key: string;
  readonly label: string;
  readonly time: number;
  readonly requestEnd: number;
  readonly timed: boolean;
  readonly bytes: number;
  readonly gap: boolean;
  /** Stream offsets of its first byte and behind its last. */
  readonly start: number;
  readonly end: number;
  readonly acknowledged: number;
  /** What an answer names it by, where the request asks for that. */
  readonly opaque: string | undefined;
  /** It is answered only in some cases. */
  readonly quiet: boolean;
  /** It is never answered. */
  readonly noreply: boolean;
  /** Quiet requests sent before it, since the last that was not quiet. */
  readonly before: MemcachedRequest[];
}

/** An answer as far as it came. */
export interface MemcachedAnswer {
  readonly start: number;
  readonly acknowledged: number;
  readonly firstTime: number;
  /** Undefined where its last byte was not seen. */
  readonly lastTime: number | undefined;
  readonly timed: boolean;
  readonly bytes: number;
  readonly gap: boolean;
}

export interface Outcome {
  readonly answer?: MemcachedAnswer | undefined;
  readonly status?: string;
  readonly failed?: boolean;
  readonly incomplete?: Incomplete | undefined;
  readonly endedBy?: Side | undefined;
}

/** A request and what came of it. */
export function exchangeOf(
  request: MemcachedRequest,
  { answer, status = '', failed, incomplete, endedBy }: Outcome,
): Exchange {
  const timed = request.timed && answer?.timed === true;
  return {
    kind: 'exchange',
    protocol: 'memcached',
    label: request.label,
    time: request.time,
    requestEnd: request.requestEnd,
    responseTime: timed ? answer.firstTime : undefined,
    responseEnd: timed ? answer.lastTime : undefined,
    requestBytes: request.bytes,
    responseBytes: answer?.bytes ?? 0,
    endedBy,
    status,
    failed: failed === true || isFailure(incomplete),
    route: request.command,
    incomplete:
      incomplete ?? (request.gap ? 'request not captured' : answer?.gap === true ? 'response not captured' : undefined),
    fields: { memcached: { command: request.command, key: request.key || undefined, status: status || undefined } },
  };
}

/** An answer to a request that was not captured, or, with `unknown`, that the packets do not prove. */
export function answerAlone(
  answer: MemcachedAnswer,
  status: string,
  failed: boolean,
  incomplete: 'request not seen' | 'unknown',
): Exchange {
  const label = incomplete === 'unknown' ? REQUEST_UNKNOWN : REQUEST_NOT_SEEN;
  return {
    kind: 'exchange',
    protocol: 'memcached',
    label,
    time: answer.firstTime,
    requestEnd: answer.firstTime,
    responseTime: answer.timed ? answer.firstTime : undefined,
    responseEnd: answer.timed ? answer.lastTime : undefined,
    requestBytes: 0,
    responseBytes: answer.bytes,
    status,
    failed,
    route: label,
    incomplete,
    fields: { memcached: { status: status || undefined } },
  };
}

export const NAMES = { protocol: 'memcached', title: 'memcached', request: 'command', answer: 'answer', shortest: 4 };
