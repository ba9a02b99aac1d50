import { joinedBytes } from '../../../../wire/bytes.ts';
import { PROBE_BYTES } from '../../../limits.ts';
import { type AnalysisEvent, type Fields, SIDE, type Side } from '../../../record/event.ts';
import type { Bodies } from '../../http1/message-body.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd, StreamProtocol } from '../../protocol.ts';
import { Positions } from './positions.ts';

/** How many pieces are looked at when the beginning of what was decrypted matches no protocol. */
const LOOKS_MAXIMUM = 32;

/** What finds a protocol by its first bytes, as protocols/recognise.ts. */
export interface Recognise {
  protocol: StreamProtocol | undefined;
  fromServer: boolean | undefined;
  undecided: boolean;
  look(bytes: Uint8Array, start: number, end: number, serverPort: number, clientPort: number): void;
}

interface Contents {
  readonly recognition: Recognise;
  readonly carried?: StreamProtocol['create'] | undefined;
}

/** What is known of the packets that carried a record. */
export interface Arrival {
  /** Offset of the encrypted stream behind the record. */
  readonly encryptedEnd: number;
  /** Bytes of the other side's encrypted stream that its first packet acknowledged; -1 if that is not known. */
  readonly acknowledged: number;
  /** When its last packet came, ns; not a number where that is not known. */
  readonly time: number;
}

interface Piece extends Arrival {
  readonly side: Side;
  readonly bytes: Uint8Array;
}

/**
 * What a TLS connection carries, decrypted: a stream of its own, whose protocol is recognised anew. A byte of it comes when
 * its record is whole, as no receiver can read it before.
 */
export class InnerStream implements StreamContext {
  offset = 0;
  acknowledged = -1;
  timeKnown = true;
  /** Of the bytes at hand; what is at hand besides them is the connection's. */
  #time: number | undefined;
  readonly #outer: StreamContext;
  readonly #recognition: Recognise;
  readonly #positions: readonly [Positions, Positions] = [new Positions(), new Positions()];
  readonly #beginnings: [number, number] = [0, 0];
  #analyzer: StreamAnalyzer | undefined;
  #looks = 0;
  /** Bytes were missing, or not recognised, before the protocol was. */
  #unread = false;
  #head: Piece[] = [];
  #headBytes = 0;
  #ended = false;

  /** @param carried reads what comes; undefined: its protocol is recognised */
  constructor(outer: StreamContext, { recognition, carried }: Contents) {
    this.#outer = outer;
    this.#recognition = recognition;
    this.#analyzer = carried?.(this);
  }

  get now(): number {
    return this.#time ?? this.#outer.now;
  }

  get detail(): boolean {
    return this.#outer.detail;
  }

  get showSecrets(): boolean {
    return this.#outer.showSecrets;
  }

  get labels(): boolean | undefined {
    return this.#outer.labels;
  }

  get topicNames(): Map<string, string> | undefined {
    return this.#outer.topicNames;
  }

  get late(): boolean | undefined {
    return this.#outer.late;
  }

  get bodies(): Bodies | undefined {
    return this.#outer.bodies;
  }

  get serverPort(): number {
    return this.#outer.serverPort;
  }

  get midstream(): boolean {
    return this.#unread;
  }

  get isCrossing(): boolean {
    return this.#outer.isCrossing;
  }

  get isCut(): boolean {
    return this.#outer.isCut;
  }

  get lateEnd(): number {
    return this.#mapped(SIDE.client, this.#outer.lateEnd);
  }

  get lateAcknowledged(): number {
    return this.#mapped(SIDE.server, this.#outer.lateAcknowledged);
  }

  get lateAnswers(): number {
    return this.#outer.lateAnswers;
  }

  countPending(bytes: number): boolean {
    return this.#outer.countPending?.(bytes) ?? true;
  }

  emit(event: AnalysisEvent): void {
    this.#outer.emit(event);
  }

  annotate(fields: Fields): void {
    this.#outer.annotate(fields);
  }

  beginning(side: Side): number {
    return this.#beginnings[side];
  }

  finSeen(side: Side): boolean {
    return this.#outer.finSeen(side);
  }

  become(protocol: StreamProtocol | undefined): StreamAnalyzer {
    this.#analyzer = protocol?.create(this);
    this.#looks = 0;
    this.#beginnings[SIDE.client] = this.#positions[SIDE.client].decrypted;
    this.#beginnings[SIDE.server] = this.#positions[SIDE.server].decrypted;
    return {
      data: (side, bytes, start, end) => {
        // What is passed on is the rest of what is at hand.
        this.offset = this.#positions[side].decrypted - (end - start);
        this.#beginnings[side] = Math.min(this.#beginnings[side], this.offset);
        this.#hand(side, bytes, start, end);
      },
      gap: (side, length) => this.#skip(side, length),
      end: (how, by) => this.#analyzer?.end(how, by),
    };
  }

  /** The content of the next record with data. */
  data(side: Side, bytes: Uint8Array, arrival: Arrival): void {
    const positions = this.#positions[side];
    this.offset = positions.decrypted;
    positions.add(arrival.encryptedEnd, bytes.length);
    this.#arrives(side, arrival);
    if (bytes.length > 0) this.#hand(side, bytes, 0, bytes.length);
    this.timeKnown = true;
    this.#time = undefined;
  }

  /** Records with so many bytes of data are missing, or cannot be decrypted. @param encryptedEnd offset behind them */
  gap(side: Side, length: number, encryptedEnd: number): void {
    this.#positions[side].add(encryptedEnd, length);
    this.#skip(side, length);
  }

  end(how: StreamEnd, by?: Side): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#analyzer?.end(how, by);
    this.#analyzer = undefined;
    this.#forgetHead();
  }

  #mapped(side: Side, encrypted: number): number {
    return encrypted < 0 ? -1 : this.#positions[side].decryptedAt(encrypted);
  }

  #arrives(side: Side, { acknowledged, time }: Arrival): void {
    this.timeKnown = !Number.isNaN(time);
    this.#time = time;
    this.acknowledged = this.#mapped(side === SIDE.client ? SIDE.server : SIDE.client, acknowledged);
  }

  #hand(side: Side, bytes: Uint8Array, start: number, end: number): void {
    if (this.#analyzer !== undefined) this.#analyzer.data(side, bytes, start, end);
    else if (this.#looks < LOOKS_MAXIMUM && !this.#ended) this.#look(side, bytes, start, end);
  }

  #skip(side: Side, length: number): void {
    if (this.#analyzer !== undefined) {
      this.#analyzer.gap(side, length);
      return;
    }
    this.#unread = true;
    this.#forgetHead();
  }

  #look(side: Side, bytes: Uint8Array, start: number, end: number): void {
    const known = this.#head.filter((piece) => piece.side === side).map((piece) => piece.bytes);
    const joined =
      known.length === 0 ? bytes.subarray(start, end) : joinedBytes([...known, bytes.subarray(start, end)]);
    const recognition = this.#recognition;
    recognition.look(joined, 0, joined.length, this.serverPort, 0);
    const { protocol, fromServer, undecided } = recognition;
    if (protocol !== undefined) {
      // Who is the client is known: then these words only look like the other side's.
      if (fromServer === undefined || fromServer === (side === SIDE.server))
        this.#attach(protocol, side, bytes, start, end);
      else this.#looks += 1;
      return;
    }
    this.#looks += 1;
    if (!undecided || this.#headBytes + (end - start) > PROBE_BYTES) {
      this.#unread = true;
      this.#forgetHead();
      return;
    }
    this.#head.push({
      side,
      bytes: Uint8Array.from(bytes.subarray(start, end)),
      encryptedEnd: this.offset,
      acknowledged: this.acknowledged,
      time: this.#time ?? Number.NaN,
    });
    this.#headBytes += end - start;
  }

  #attach(protocol: StreamProtocol, side: Side, bytes: Uint8Array, start: number, end: number): void {
    const analyzer = protocol.create(this);
    this.#analyzer = analyzer;
    const { offset, acknowledged, timeKnown } = this;
    const time = this.#time;
    const head = this.#head;
    this.#forgetHead();
    for (const piece of head) {
      this.offset = piece.encryptedEnd;
      this.acknowledged = piece.acknowledged;
      this.#time = piece.time;
      this.timeKnown = !Number.isNaN(piece.time);
      analyzer.data(piece.side, piece.bytes, 0, piece.bytes.length);
    }
    this.offset = offset;
    this.acknowledged = acknowledged;
    this.timeKnown = timeKnown;
    this.#time = time;
    analyzer.data(side, bytes, start, end);
  }

  #forgetHead(): void {
    this.#head = [];
    this.#headBytes = 0;
  }
}
