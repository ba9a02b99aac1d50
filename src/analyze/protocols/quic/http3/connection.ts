import { HOLE_NS, PENDING_PER_STREAM } from '../../../limits.ts';
import { type Incomplete, otherSide, SIDE, type Side } from '../../../record/event.ts';
import type { StreamEnd } from '../../protocol.ts';
import type { ApplicationContext, ApplicationStreams } from '../application.ts';
import type { StreamFrame } from '../frames.ts';
import { Ranges } from '../ranges.ts';
import { type ArrivalTime, ReceivedStream } from '../received-stream.ts';
import { http3ErrorName } from './errors.ts';
import { QpackDecoder } from './qpack.ts';
import { Http3Request } from './request.ts';
import { UnidirectionalStream } from './unidirectional.ts';

/** Unidirectional streams of a connection that are looked at: three of each side, and those that exercise unknown types. */
const UNIDIRECTIONAL_MAXIMUM = 64;
/** How often it is looked for what has waited too long, ns of packet time. */
const LOOK_NS = 1e9;
/** What a request takes in memory besides its fields. */
const REQUEST_BYTES = 2048;

/** A stream's kind: the low bits of its number (RFC 9000 section 2.1). */
const KIND = { request: 0, clientUnidirectional: 2, serverUnidirectional: 3 } as const;

interface Unidirectional {
  readonly received: ReceivedStream;
  readonly stream: UnidirectionalStream;
}

/** HTTP/3 (RFC 9114) on the streams of one connection: each request's stream is an exchange. */
export class Http3Connection implements ApplicationStreams {
  readonly #context: ApplicationContext;
  readonly #qpack: readonly [QpackDecoder, QpackDecoder];
  readonly #requests = new Map<number, Http3Request>();
  /** Numbers of the requests that are over, counted from 0. */
  readonly #over = new Ranges();
  readonly #unidirectional = new Map<number, Unidirectional>();
  #looked = Number.NEGATIVE_INFINITY;
  #now = 0;

  constructor(context: ApplicationContext) {
    this.#context = context;
    this.#qpack = [new QpackDecoder(context.reserve), new QpackDecoder(context.reserve)];
  }

  onStream(side: Side, { stream, offset, bytes, start, end, fin }: StreamFrame, arrival: ArrivalTime): void {
    this.#now = arrival.now;
    const received = this.#received(side, stream);
    if (received === undefined) return;
    received.add(offset, bytes, start, end, arrival);
    if (fin) received.ends(offset + (end - start), arrival.now);
    const request = this.#requests.get(stream);
    if (request !== undefined) this.#count(stream, request);
  }

  onReset(side: Side, stream: number, error: number, { now }: ArrivalTime): void {
    this.#now = now;
    const request = this.#requests.get(stream);
    if (request === undefined) {
      const other = this.#unidirectional.get(stream);
      if (other === undefined) return;
      other.stream.onHole(1);
      other.received.stop();
      return;
    }
    const { exchange } = request;
    // A server that has all it needs stops a request's body, and answers (RFC 9114 section 4.1).
    if (side === SIDE.client && request.stopped[SIDE.server] !== undefined) {
      exchange.request.ended = true;
      request.halves[SIDE.client].stop();
      this.#onEnded(stream, SIDE.client);
      return;
    }
    exchange.reset = http3ErrorName(request.stopped[otherSide(side)] ?? error);
    exchange.resetTime = now;
    this.#emit(stream, request, exchange.response.ended ? undefined : 'reset', request.brokenOffBy(side));
  }

  onStop(side: Side, stream: number, error: number): void {
    const request = this.#requests.get(stream);
    if (request !== undefined) request.stopped[side] ??= error;
  }

  passed(now: number): void {
    if (!(now - this.#looked >= LOOK_NS)) return;
    this.#looked = now;
    this.#now = now;
    for (const { received } of this.#unidirectional.values()) {
      if (isOld(received.holeSince, now)) received.skipHole(now);
    }
    for (const [id, request] of this.#requests) {
      for (const half of request.halves) {
        if (isOld(half.received.holeSince, now)) half.received.skipHole(now);
        if (isOld(half.blockedSince, now)) half.retry(true);
      }
      if (isOld(request.answeredAt, now)) this.#finish(id, request);
    }
  }

  end(how: StreamEnd, by: Side | undefined): void {
    for (const { received } of this.#unidirectional.values()) received.stop();
    for (const [id, request] of this.#requests) {
      for (const half of request.halves) {
        if (half.blockedSince !== undefined) half.retry(true);
      }
      if (!this.#requests.has(id)) continue;
      if (request.exchange.response.ended) this.#finish(id, request);
      else this.#brokenOff(id, request, how, by);
    }
    for (const qpack of this.#qpack) qpack.forget();
  }

  #brokenOff(id: number, request: Http3Request, how: StreamEnd, by: Side | undefined): void {
    const { response } = request.exchange;
    const isCaptured =
      this.#context.isServerWhole(request.serverNumber) &&
      request.halves.every(({ received }) => received.holeSince === undefined) &&
      !response.gap;
    const cancelled = request.stopped[SIDE.client];
    let why: Incomplete;
    let endedBy: Side | undefined;
    if (!isCaptured) why = 'response not captured';
    else if (cancelled !== undefined) {
      request.exchange.reset = http3ErrorName(cancelled);
      why = 'reset';
      endedBy = SIDE.client;
    } else if (how === 'closed') {
      why = response.begun ? 'closed early' : 'no response';
      endedBy = by;
    } else why = how === 'capture ended' ? how : 'unknown';
    this.#emit(id, request, why, endedBy);
  }

  #received(side: Side, stream: number): ReceivedStream | undefined {
    const kind = stream % 4;
    if (kind === KIND.request) return this.#request(stream)?.halves[side].received;
    const own = side === SIDE.client ? KIND.clientUnidirectional : KIND.serverUnidirectional;
    return kind === own ? this.#unidirectionalStream(side, stream) : undefined;
  }

  #request(id: number): Http3Request | undefined {
    const known = this.#requests.get(id);
    if (known !== undefined || this.#over.has(id / 4)) return known;
    if (this.#requests.size >= PENDING_PER_STREAM) this.#dropOldest();
    const request = new Http3Request(this.#context, this.#qpack, (side) => this.#onEnded(id, side));
    this.#requests.set(id, request);
    return request;
  }

  #unidirectionalStream(side: Side, id: number): ReceivedStream | undefined {
    const known = this.#unidirectional.get(id);
    if (known !== undefined) return known.stream.skipped ? undefined : known.received;
    if (this.#unidirectional.size >= UNIDIRECTIONAL_MAXIMUM) return undefined;
    const stream = new UnidirectionalStream({
      // A side's SETTINGS bound the table that the other side's sections refer to.
      onSettings: (maximum) => this.#qpack[otherSide(side)].allow(maximum),
      onInstructions: (bytes, start, end) => {
        this.#qpack[side].instructions(bytes, start, end);
        this.#unblock(side);
      },
      onInstructionsLost: () => {
        this.#qpack[side].forget();
        this.#unblock(side);
      },
    });
    const received = new ReceivedStream(stream, this.#context.reserve);
    this.#unidirectional.set(id, { stream, received });
    return received;
  }

  #unblock(side: Side): void {
    if (!this.#qpack[side].takeUnblocked()) return;
    for (const { halves } of this.#requests.values()) {
      if (halves[side].blockedSince !== undefined) halves[side].retry(false);
    }
  }

  #onEnded(id: number, side: Side): void {
    const request = this.#requests.get(id);
    if (request === undefined) return;
    const { exchange, halves } = request;
    if (side === SIDE.server) request.answeredAt = this.#now;
    else if (!exchange.response.ended) return;
    const [client] = halves;
    // Its request may be at hand, and only not be in order yet.
    const isComing = !exchange.request.ended && (!exchange.request.begun || client.received.holeSince !== undefined);
    if (!isComing) this.#finish(id, request);
  }

  #finish(id: number, request: Http3Request): void {
    const { response } = request.exchange;
    this.#emit(id, request, response.begun && !response.gap ? undefined : 'response not captured', undefined);
  }

  /** What a request's fields take counts among what is pending. */
  #count(id: number, request: Http3Request): void {
    const { exchange } = request;
    const more = REQUEST_BYTES + exchange.request.kept + exchange.response.kept - request.counted;
    if (more === 0) return;
    request.counted += more;
    if (!this.#context.countPending(more) && this.#requests.has(id)) this.#dropOldest();
  }

  #dropOldest(): void {
    const [oldest] = this.#requests;
    if (oldest !== undefined) this.#emit(...oldest, 'unknown', undefined);
  }

  #emit(id: number, request: Http3Request, incomplete: Incomplete | undefined, endedBy: Side | undefined): void {
    this.#requests.delete(id);
    this.#over.add(id / 4);
    if (request.counted > 0) this.#context.countPending(-request.counted);
    request.compareClocks();
    this.#context.emit(request.exchange.exchange(this.#context, incomplete, endedBy));
    request.stop();
  }
}

function isOld(since: number | undefined, now: number): boolean {
  return since !== undefined && now - since > HOLE_NS;
}
