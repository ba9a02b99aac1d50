import { PENDING_TOTAL_BYTES } from '../limits.ts';
import type { Bodies } from '../protocols/http1/message-body.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd, StreamProtocol } from '../protocols/protocol.ts';
import type { DecryptionMeans } from '../protocols/tls/decrypt/decryption.ts';
import { type AnalysisEvent, type Exchange, type Fields, SIDE, type Side } from '../record/event.ts';
import { wholeFields } from '../record/late-fields.ts';
import type { Carrier } from './carrier.ts';
import { FirstBytes, recognition } from './first-bytes.ts';
import type { HeldSegments, Waiting } from './held-segments.ts';
import type { PendingEnd } from './pending-end.ts';
import { StreamClocks, UNSTEADY } from './stream-clocks.ts';
import type { StreamHost } from './stream-host.ts';
import { STREAM_F64, type StreamNumbers } from './stream-numbers.ts';

/** How many segments are probed when the beginning of a connection matches no protocol. */
const LOOKS_MAXIMUM = 32;

/** The bytes of one connection, in order: recognises whose words they are and hands them to that protocol. */
export class TcpStream implements StreamContext {
  /** Where its flow lies in the table; the table's owner keeps it right. */
  slot = -1;
  /** Its flow's number, as FlowInfo.id. */
  flow = -1;
  serverPort = 0;
  clientPort = 0;
  protocol: StreamProtocol | undefined;
  ended = false;
  pendingEnd: PendingEnd | undefined;
  /** Which direction, 0 or 1, is the client's. */
  client = 0;
  /** Of the bytes being handed on, as StreamContext has them. */
  offset = 0;
  acknowledged = -1;
  timeKnown = true;
  lateEnd = -1;
  isCrossing = false;
  isCut = false;
  lateAcknowledged = -1;
  lateAnswers = 0;
  /** What cannot be handed on yet; of most connections nothing. */
  waiting: Waiting | undefined;
  /** By direction, copies from other places of capture that are ahead of what was handed on; of most connections none. */
  spares: readonly [HeldSegments, HeldSegments] | undefined;
  readonly #clocks: StreamClocks;
  /** The one clock that stamped all bytes of both directions so far; UNSTEADY where there are several, or it is not certain. */
  #steadyClock = UNSTEADY;
  /** What the client's last bytes acknowledged. */
  #clientAcknowledged = -1;
  /** Its own numbers are those from `#base` on (STREAM_F64). */
  readonly #numbers: StreamNumbers;
  #base = 0;
  readonly #host: StreamHost;
  /** Its beginning was not seen: who is the client is a guess. */
  #guessed = false;
  /** Bytes came, or were not captured, before its protocol was recognised: that protocol does not see its beginning. */
  #unread = false;
  #analyzer: StreamAnalyzer | undefined;
  /** What came while no protocol was recognised, if one may yet be. */
  #first: FirstBytes | undefined;
  #looks = 0;
  /** Its protocol went over into something that is not recognised yet. */
  #redetecting = false;
  #annotations: Fields | undefined;
  /** Its part of the host's. */
  #pendingBytes = 0;

  constructor(host: StreamHost) {
    this.#host = host;
    this.#numbers = host.numbers;
    this.#clocks = new StreamClocks(host.numbers);
  }

  /** Stand for another connection: streams are many and short, and used again. */
  begin(slot: number, flow: number, client: number, guessed: boolean, clientPort: number, serverPort: number): void {
    this.slot = slot;
    this.#base = this.#numbers.begin(slot);
    this.flow = flow;
    this.client = client;
    this.clientPort = clientPort;
    this.serverPort = serverPort;
    this.protocol = undefined;
    this.ended = false;
    this.pendingEnd = undefined;
    this.waiting = undefined;
    this.spares = undefined;
    this.#clocks.begin(this.#base);
    this.#steadyClock = UNSTEADY;
    this.#clientAcknowledged = -1;
    this.#guessed = guessed;
    this.#unread = false;
    this.#analyzer = undefined;
    this.#first = undefined;
    this.#looks = 0;
    this.#redetecting = false;
    this.#annotations = undefined;
    this.acknowledged = -1;
    this.timeKnown = true;
    this.lateEnd = -1;
    this.isCrossing = false;
    this.isCut = false;
    this.lateAcknowledged = -1;
    this.lateAnswers = 0;
  }

  /** A packet with bytes of a direction acknowledges the other one's bytes before a sequence number. */
  acknowledges(direction: number, acknowledgment: number): void {
    const other = direction === 0 ? 1 : 0;
    const first = this.#whole(STREAM_F64.acknowledgedFirst + other);
    if (!Number.isNaN(first) && ((acknowledgment - first) | 0) >= 0) return;
    this.#set(STREAM_F64.acknowledgedFirst + other, acknowledgment);
    if (this.#whole(STREAM_F64.delivered + other) === 0) this.#host.beginsAt(this, other, acknowledgment);
  }

  /** The least that the other direction acknowledged, a sequence number; NaN before any. */
  acknowledgedFirst(direction: number): number {
    return this.#whole(STREAM_F64.acknowledgedFirst + direction);
  }

  /** @param field of STREAM_F64, the direction added */
  #get(field: number): number {
    return this.#numbers.values[this.#base + field] as number;
  }

  /** The same of what are whole numbers, mostly small ones. */
  #whole(field: number): number {
    return asWhole(this.#numbers.values[this.#base + field] as number);
  }

  #set(field: number, value: number): void {
    this.#numbers.values[this.#base + field] = value;
  }

  get midstream(): boolean {
    return this.#guessed || this.#unread;
  }

  beginning(side: Side): number {
    return this.#whole(STREAM_F64.beginning + this.#directionOf(side));
  }

  finSeen(side: Side): boolean {
    return this.#host.finSeen(this, side === SIDE.client ? this.client : 1 - this.client);
  }

  /** Not a number for bytes whose time cannot be compared with others' of the connection. */
  get now(): number {
    return this.timeKnown ? this.#host.clock.now : Number.NaN;
  }

  /** Whether a direction's bytes are seen on another leg of the connection alone. */
  isHalfLeg(direction: number): boolean {
    return this.#host.isHalfLeg(this, direction);
  }

  get detail(): boolean {
    return this.#host.detail && !(this.#host.firstLegs && this.#host.isOtherLeg(this));
  }

  get labels(): boolean {
    return this.#host.labels === true;
  }

  get late(): boolean {
    return this.#host.late;
  }

  get bodies(): Bodies | undefined {
    return this.#host.bodies;
  }

  get topicNames(): Map<string, string> | undefined {
    return this.#host.topicNames;
  }

  get decryption(): DecryptionMeans | undefined {
    const { keys } = this.#host;
    return keys === undefined || (keys.size === 0 && !keys.growing) ? undefined : { keys, recognition };
  }

  wallTime(time: number): number {
    return Number.isNaN(time) ? Number.NaN : Number(this.#host.clock.absolute(time)) / 1e6;
  }

  countPending(bytes: number): boolean {
    this.#pendingBytes += bytes;
    this.#host.pendingBytes += bytes;
    return this.#host.pendingBytes <= PENDING_TOTAL_BYTES;
  }

  get showSecrets(): boolean {
    return this.#host.showSecrets;
  }

  emit(event: AnalysisEvent): void {
    if (event.kind === 'exchange') this.#emit(this.#proven(event));
    else this.#emit(event);
  }

  /** An exchange without what the order and the clocks of its packets do not prove. */
  #proven(event: Exchange): Exchange {
    const timed = this.#clocks.proven(event, this.client);
    if (timed.incomplete !== 'no response' || timed.requestEnd > this.#get(STREAM_F64.answeredUntil + this.client))
      return timed;
    return { ...timed, incomplete: 'unknown', failed: false, endedBy: undefined };
  }

  #emit(event: AnalysisEvent): void {
    const common = this.#annotations;
    this.#host.event(
      this,
      common === undefined ? event : { ...event, fields: { ...common, ...wholeFields(event.fields) } },
    );
  }

  annotate(fields: Fields): void {
    this.#annotations = { ...this.#annotations, ...fields };
  }

  become(protocol: StreamProtocol | undefined): StreamAnalyzer {
    this.#set(STREAM_F64.beginning, this.#whole(STREAM_F64.delivered));
    this.#set(STREAM_F64.beginning + 1, this.#whole(STREAM_F64.delivered + 1));
    this.#set(STREAM_F64.given, this.#whole(STREAM_F64.delivered));
    this.#set(STREAM_F64.given + 1, this.#whole(STREAM_F64.delivered + 1));
    if (protocol === undefined) {
      this.#analyzer = undefined;
      this.#redetecting = true;
      this.#looks = 0;
      return this.#redetect();
    }
    this.#redetecting = false;
    this.protocol = protocol;
    const analyzer = protocol.create(this);
    this.#analyzer = analyzer;
    return {
      // What is passed on is the rest of what is at hand: it ends where that ends.
      data: (side, bytes, start, end) => {
        this.#begins(this.#directionOf(side), end - start);
        analyzer.data(side, bytes, start, end);
      },
      gap: (side, length) => analyzer.gap(side, length),
      end: (how, by) => analyzer.end(how, by),
    };
  }

  #directionOf(side: Side): 0 | 1 {
    return (side === SIDE.client) === (this.client === 0) ? 0 : 1;
  }

  /** Another protocol begins with the rest of what is at hand. */
  #begins(direction: 0 | 1, rest: number): void {
    this.offset = this.#whole(STREAM_F64.delivered + direction) - rest;
    this.#set(STREAM_F64.beginning + direction, Math.min(this.#whole(STREAM_F64.beginning + direction), this.offset));
  }

  /** Passes the rest of the buffered bytes to an analyzer that has not seen them. */
  #redetect(): StreamAnalyzer {
    return {
      data: (side, bytes, start, end) => {
        const direction = this.#directionOf(side);
        this.#begins(direction, end - start);
        this.#hand(direction, bytes, start, end);
      },
      gap: (side, length) => this.#skip(this.#directionOf(side), length),
      end: () => undefined,
    };
  }

  /** The next bytes of a direction, in order. @param carrier the packet that carried them */
  data(direction: number, bytes: Uint8Array, start: number, end: number, carrier: Carrier): void {
    const own = direction === 0 ? 0 : 1;
    const { values } = this.#numbers;
    const base = this.#base;
    const { now } = this.#host.clock;
    // Nearly all bytes of nearly all connections: one clock stamped them, and time goes forward.
    if (!this.isSteady(carrier.clock, now)) {
      this.#dataOfClocks(own, bytes, start, end, carrier);
      return;
    }
    const offset = asWhole(values[base + STREAM_F64.delivered + own] as number);
    this.offset = offset;
    values[base + STREAM_F64.delivered + own] = offset + end - start;
    const acknowledged = this.#follows(own, carrier);
    this.acknowledged = acknowledged;
    if (own === this.client) this.#clientAcknowledged = acknowledged;
    values[base + STREAM_F64.handedAt + own] = now;
    this.#hand(own, bytes, start, end);
    if (this.flow === this.#host.followed) this.#host.follow(this, own, bytes, start, end);
  }

  /** Whether one clock has stamped all bytes of the connection, those that come now too, and time goes forward. */
  isSteady(clock: number, now: number): boolean {
    const { values } = this.#numbers;
    const handed = this.#base + STREAM_F64.handedAt;
    return (
      clock === this.#steadyClock && !(now < (values[handed] as number)) && !(now < (values[handed + 1] as number))
    );
  }

  /**
   * As `data`, of a packet that was not late; `isSteady` holds for it.
   * @param sentBefore its acknowledgment number less the one behind the other direction's last byte: 0 or negative
   */
  steadyData(own: 0 | 1, bytes: Uint8Array, start: number, end: number, sentBefore: number, isCrossing: boolean): void {
    const { values } = this.#numbers;
    const delivered = this.#base + STREAM_F64.delivered;
    const offset = asWhole(values[delivered + own] as number);
    const acknowledged = Math.max(0, asWhole(values[delivered + 1 - own] as number) + sentBefore);
    this.offset = offset;
    this.acknowledged = acknowledged;
    this.isCrossing = isCrossing;
    values[delivered + own] = offset + end - start;
    values[this.#base + STREAM_F64.handedAt + own] = this.#host.clock.now;
    if (own === this.client) this.#clientAcknowledged = acknowledged;
    this.#hand(own, bytes, start, end);
    if (this.flow === this.#host.followed) this.#host.follow(this, own, bytes, start, end);
  }

  /** The same where several clocks stamp a connection's bytes, or their times go back. */
  #dataOfClocks(own: 0 | 1, bytes: Uint8Array, start: number, end: number, carrier: Carrier): void {
    this.offset = this.#whole(STREAM_F64.delivered + own);
    if (this.#guessed) this.#follow(own, end - start, carrier);
    this.#set(STREAM_F64.delivered + own, this.offset + end - start);
    this.acknowledged = this.#follows(own, carrier);
    const { clock } = this.#host;
    const { now } = clock;
    if (this.#steadyClock !== UNSTEADY) this.#clocks.catchUp();
    const isClient = own === this.client;
    clock.now = this.#clocks.stamp(own, isClient, carrier.clock, now, this.acknowledged > this.#clientAcknowledged);
    this.timeKnown = this.#clocks.isComparable;
    if (isClient) this.#clientAcknowledged = this.acknowledged;
    if (
      this.offset < this.#whole(STREAM_F64.answeredBefore + own) &&
      clock.now > this.#get(STREAM_F64.answeredUntil + own)
    )
      this.#set(STREAM_F64.answeredUntil + own, clock.now);
    // Else more is to be followed of each packet.
    this.#steadyClock = !this.#guessed || this.#isBehindAnswered() ? this.#clocks.steady : UNSTEADY;
    this.#hand(own, bytes, start, end);
    if (this.flow === this.#host.followed) this.#host.follow(this, own, bytes, start, end);
    clock.now = now;
    this.timeKnown = true;
  }

  /** Of a connection whose beginning was not seen: whether #follow has learned all it can. */
  #isBehindAnswered(): boolean {
    const [a, b] = [this.#whole(STREAM_F64.delivered), this.#whole(STREAM_F64.delivered + 1)];
    const isBehind = a >= this.#whole(STREAM_F64.answeredBefore) && b >= this.#whole(STREAM_F64.answeredBefore + 1);
    return a > 0 && b > 0 && isBehind;
  }

  /** Bytes of a connection whose beginning was not seen: the first ones of a side may have been answered by what came before them. */
  #follow(own: 0 | 1, length: number, { acknowledgment, hasAcknowledgment }: Carrier): void {
    const other = own === 0 ? 1 : 0;
    const early = this.#whole(STREAM_F64.acknowledgedEarly + own);
    const earlyOther = this.#whole(STREAM_F64.acknowledgedEarly + other);
    if (this.#whole(STREAM_F64.delivered + own) === 0) {
      // What came behind its stream's end was sent again: it may have been answered before the capture.
      const isAgain = this.#host.finSeen(this, own);
      if (isAgain) this.#set(STREAM_F64.answeredBefore + own, length);
      const next = this.#host.nextSequence(this, own);
      if (!isAgain && next !== undefined && !Number.isNaN(early))
        this.#set(STREAM_F64.answeredBefore + own, ((early - next) | 0) + length);
    }
    if (this.#whole(STREAM_F64.delivered + other) > 0 || !hasAcknowledgment) return;
    if (Number.isNaN(earlyOther) || ((acknowledgment - earlyOther) | 0) > 0)
      this.#set(STREAM_F64.acknowledgedEarly + other, acknowledgment);
  }

  /** What a packet shows besides its bytes. @returns `acknowledged` of these */
  #follows(own: 0 | 1, carrier: Carrier): number {
    const { isLate } = carrier;
    this.isCrossing = carrier.isCrossing;
    if (isLate && own !== this.client) this.lateAnswers += 1;
    if (!carrier.hasAcknowledgment) return -1;
    const acknowledged = this.#acknowledged(own === 0 ? 1 : 0, carrier.acknowledgment);
    if (!isLate) return acknowledged;
    if (own !== this.client) return -1;
    this.lateEnd = this.#whole(STREAM_F64.delivered + own);
    const most = this.#acknowledgedAtMost(own === 0 ? 1 : 0, carrier.acknowledgment);
    if (most > this.lateAcknowledged) this.lateAcknowledged = most;
    return Math.min(acknowledged, Math.max(0, this.#clientAcknowledged));
  }

  /** Bytes of the other direction, of those that were delivered, that an acknowledgment number covers. */
  #acknowledged(other: number, acknowledgment: number): number {
    const next = this.#host.nextSequence(this, other);
    if (next === undefined) return -1;
    // A retransmission acknowledges more than its bytes did when they were sent first.
    const ahead = Math.min(0, (acknowledgment - next) | 0);
    return Math.max(0, this.#whole(STREAM_F64.delivered + other) + ahead);
  }

  /** At most: also those that were not captured and are not given up yet. Late bytes are delivered before that. */
  #acknowledgedAtMost(other: number, acknowledgment: number): number {
    const next = this.#host.nextSequence(this, other);
    if (next === undefined) return -1;
    return Math.max(0, this.#whole(STREAM_F64.delivered + other) + ((acknowledgment - next) | 0));
  }

  #hand(direction: 0 | 1, bytes: Uint8Array, start: number, end: number): void {
    const analyzer = this.#analyzer;
    if (analyzer !== undefined) {
      this.#set(STREAM_F64.given + direction, this.#whole(STREAM_F64.delivered + direction));
      analyzer.data(direction === this.client ? SIDE.client : SIDE.server, bytes, start, end);
      return;
    }
    if (this.#looks >= LOOKS_MAXIMUM || this.ended || (this.#host.firstLegsOnly && this.#host.isOtherLeg(this))) return;
    this.#look(direction, bytes, start, end);
  }

  /**
   * How many of a direction's next bytes are only counted, whatever they are and whichever of them were not captured: those that
   * wait behind a hole need not be kept.
   */
  unread(direction: number): number {
    if (this.flow === this.#host.followed) return 0;
    return this.#analyzer?.unread?.(direction === this.client ? SIDE.client : SIDE.server) ?? 0;
  }

  /** @param isCut they were cut off from a packet of which the beginning was captured */
  gap(direction: number, length: number, isCut: boolean): void {
    this.isCut = isCut;
    const own = direction === 0 ? 0 : 1;
    const { clock } = this.#host;
    const { now } = clock;
    // What was captured first, with a hole behind it, may have been sent again: its answer may have come before the capture.
    if (this.#guessed && this.#whole(STREAM_F64.delivered + 1 - own) === 0) {
      this.#set(STREAM_F64.answeredBefore + own, this.#whole(STREAM_F64.delivered + own));
      this.#set(
        STREAM_F64.answeredUntil + own,
        Math.max(this.#get(STREAM_F64.answeredUntil + own), this.#get(STREAM_F64.handedAt + own)),
      );
    }
    this.#set(STREAM_F64.delivered + own, this.#whole(STREAM_F64.delivered + own) + length);
    clock.now = Math.max(now, this.#get(STREAM_F64.handedAt + own));
    this.#skip(direction, length);
    if (this.flow === this.#host.followed) this.#host.follow(this, own, undefined, 0, length);
    clock.now = now;
  }

  #skip(direction: number, length: number): void {
    if (this.#analyzer !== undefined) {
      // What came before the protocol was recognised is missing to it as well.
      const own = direction === 0 ? 0 : 1;
      const unread = Math.max(
        0,
        this.#whole(STREAM_F64.delivered + own) - length - this.#whole(STREAM_F64.given + own),
      );
      this.#set(STREAM_F64.given + own, this.#whole(STREAM_F64.delivered + own));
      this.#analyzer.gap(direction === this.client ? SIDE.client : SIDE.server, unread + length);
      return;
    }
    this.#unread = true;
    this.#first = undefined;
  }

  /** @param by the direction that closed first, or reset */
  end(how: StreamEnd, by?: number | undefined): void {
    if (this.ended) return;
    this.ended = true;
    this.#analyzer?.end(how, by === undefined ? undefined : by === this.client ? SIDE.client : SIDE.server);
    this.#analyzer = undefined;
    // An analyzer that another one took over from has kept its requests.
    this.#host.pendingBytes -= this.#pendingBytes;
    this.#pendingBytes = 0;
    this.#first = undefined;
  }

  /** Nothing recognised it yet; later bytes may show what it is. */
  get undecided(): boolean {
    return this.#redetecting ? this.#first !== undefined : this.protocol === undefined;
  }

  /** Nothing recognised it, and nothing will. */
  get opaque(): boolean {
    if (this.protocol?.isNamedOnly === true) return true;
    return (this.protocol === undefined || this.#redetecting) && this.#looks > 0 && this.#first === undefined;
  }

  #look(direction: number, bytes: Uint8Array, start: number, end: number): void {
    const side = direction === this.client ? SIDE.client : SIDE.server;
    // A connection under way may begin with the end of a message, or the byte of a keep-alive probe.
    if (this.#first?.look(side, bytes, start, end, this) === false && this.#guessed) this.#first = undefined;
    if (this.#first === undefined) recognition.look(bytes, start, end, this.serverPort, this.clientPort);
    const { protocol, fromServer, undecided } = recognition;
    if (protocol !== undefined) {
      this.#attachProtocol(protocol, direction, fromServer, bytes, start, end);
      return;
    }
    this.#looks += 1;
    if (undecided && this.#keep(side, bytes, start, end)) return;
    this.#unread = true;
    this.#first = undefined;
  }

  /** @returns whether there was room for them */
  #keep(side: Side, bytes: Uint8Array, start: number, end: number): boolean {
    if (start === end) return true;
    const { offset, acknowledged, timeKnown } = this;
    const time = this.#host.clock.now;
    this.#first ??= new FirstBytes();
    return this.#first.keep({ side, bytes: bytes.subarray(start, end), time, offset, acknowledged, timeKnown });
  }

  #attachProtocol(
    protocol: StreamProtocol,
    direction: number,
    fromServer: boolean | undefined,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const client = fromServer === undefined ? this.client : fromServer ? 1 - direction : direction;
    if (client !== this.client) {
      // Who opened the connection is known: then these words only look like it.
      if (!this.#guessed) {
        this.#looks += 1;
        return;
      }
      this.client = client;
      this.#host.swapEndpoints(this);
      this.#first?.swapSides();
    }
    this.#redetecting = false;
    this.protocol = protocol;
    this.#analyzer = protocol.create(this);
    this.#set(STREAM_F64.given, this.#whole(STREAM_F64.beginning));
    this.#set(STREAM_F64.given + 1, this.#whole(STREAM_F64.beginning + 1));
    const { clock } = this.#host;
    const { now } = clock;
    const { offset, acknowledged, timeKnown } = this;
    const first = this.#first?.portions ?? [];
    this.#first = undefined;
    for (const portion of first) {
      clock.now = portion.time;
      this.offset = portion.offset;
      this.acknowledged = portion.acknowledged;
      this.timeKnown = portion.timeKnown;
      this.#set(STREAM_F64.given + this.#directionOf(portion.side), portion.offset + portion.bytes.length);
      this.#analyzer?.data(portion.side, portion.bytes, 0, portion.bytes.length);
    }
    clock.now = now;
    this.offset = offset;
    this.acknowledged = acknowledged;
    this.timeKnown = timeKnown;
    this.#hand(direction === 0 ? 0 : 1, bytes, start, end);
  }
}

/** The same number: V8 keeps one of 32 bits without an object of its own, also in fields of other objects that it comes into. */
function asWhole(value: number): number {
  const small = value | 0;
  return small === value ? small : value;
}
