import { u8, u16 } from '../../bytes.ts';
import { SIDE, type Side } from '../../record/event.ts';
import { type Framing, LengthFramer } from '../length-framer.ts';
import type { ClientHello } from './client-hello.ts';
import { RECORD, RecordReader, type RecordSink } from './records.ts';
import { readSsl2Hello, ssl2Length } from './ssl2-hello.ts';

/** Types of a handshake message (IANA, "TLS HandshakeType"). */
export const HANDSHAKE = {
  clientHello: 1,
  serverHello: 2,
  helloRetryRequest: 6,
  encryptedExtensions: 8,
  certificate: 11,
  certificateRequest: 13,
  serverHelloDone: 14,
  clientKeyExchange: 16,
} as const;

export const HANDSHAKE_HEADER = 4;

/** Bytes kept of one handshake message: a hello, a chain of certificates. */
export const MESSAGE_KEEP = 16_384;

/** A handshake message's length at most, a chain of certificates excepted; past it sync is lost. */
const MESSAGE_MAXIMUM = 1 << 18;

/** Greatest type of a handshake message that goes unencrypted or did so in drafts (RFC 8879's is 25). */
const TYPE_MAXIMUM = 25;

/** What a direction reports to its connection. */
export interface TlsDirectionSink {
  /** A handshake message in the clear, from behind its header on; times of its first and last byte. */
  onHandshake(
    side: Side,
    type: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    first: number,
    last: number,
  ): void;
  onClientHello(hello: ClientHello, first: number, last: number): void;
  onAlert(side: Side, level: number, description: number): void;
  onChangeCipherSpec(side: Side): void;
  /** A whole record that is encrypted: a handshake's, an alert or data. `length` of its content. */
  onProtected(side: Side, type: number, length: number): void;
  /** Whether a direction's bytes may still precede TLS: the `S` of PostgreSQL. */
  isEarly(side: Side): boolean;
  /** Nothing more can be read of this direction. `foreign`: what came first was no record. */
  onLost(side: Side, foreign: boolean): void;
}

/** One direction of a connection until its handshake is over: records, and the handshake messages in them. */
export class TlsDirection implements RecordSink, Framing {
  readonly header = HANDSHAKE_HEADER;
  readonly keep = MESSAGE_KEEP;
  readonly reader: RecordReader;
  /** What is not application data is encrypted as well. */
  encrypted = false;
  lost = false;
  readonly #side: Side;
  readonly #sink: TlsDirectionSink;
  readonly #messages: LengthFramer;
  #now = 0;
  /** When the record began with which a message begins; NaN for a message within a record. */
  #messageTime = Number.NaN;
  #alertLevel = 0;
  /** Whether the first bytes have been checked for a hello in SSL 2.0's form; that hello, as it arrives. */
  #begun = false;
  readonly #old = { received: [] as number[], length: 2, time: 0 };

  constructor(side: Side, sink: TlsDirectionSink) {
    this.#side = side;
    this.#sink = sink;
    this.reader = new RecordReader(this);
    this.#messages = new LengthFramer(this);
  }

  data(bytes: Uint8Array, start: number, end: number, now: number): void {
    this.#now = now;
    const at = this.#begun ? start : this.#begin(bytes, start, end);
    if (at < end) this.reader.data(bytes, at, end, now);
  }

  /** The first bytes: a ClientHello in SSL 2.0's form is gathered. @returns where records begin */
  #begin(bytes: Uint8Array, start: number, end: number): number {
    const { received } = this.#old;
    if (this.#side === SIDE.server || (received.length === 0 && (u8(bytes, start) & 0x80) === 0)) {
      this.#begun = true;
      return start;
    }
    if (received.length === 0) this.#old.time = this.#now;
    let at = start;
    while (at < end && (received.length < 2 || received.length < this.#old.length)) {
      received.push(u8(bytes, at));
      at += 1;
      if (received.length === 2) this.#old.length = ssl2Length(Uint8Array.from(received), 0);
    }
    if (received.length < 2 || received.length < this.#old.length) return at;
    this.#begun = true;
    const hello = readSsl2Hello(Uint8Array.from(received), 0, received.length);
    if (hello === undefined) this.onLost();
    else {
      this.reader.bytes += received.length;
      this.#sink.onClientHello(hello, this.#old.time, this.#now);
    }
    return at;
  }

  gap(length: number, now: number): void {
    this.#now = now;
    this.#begun = true;
    if (this.lost || this.reader.gap(length)) return;
    this.lost = true;
    this.stop();
    this.#sink.onLost(this.#side, false);
  }

  stop(): void {
    this.reader.stop();
    this.#messages.stop();
  }

  onContent(bytes: Uint8Array, start: number, end: number, last: boolean): void {
    const { type, length, seen } = this.reader;
    if (type === RECORD.applicationData || (this.encrypted && type !== RECORD.changeCipherSpec)) {
      if (last) this.#sink.onProtected(this.#side, type, length);
      return;
    }
    if (type === RECORD.handshake) {
      if (!this.#messages.pending && seen === end - start) this.#messageTime = this.reader.firstTime;
      this.#messages.data(bytes, start, end, this.#now);
    } else if (type === RECORD.alert) this.#alert(bytes, start, end, length, seen);
    else if (type === RECORD.changeCipherSpec && last) this.#sink.onChangeCipherSpec(this.#side);
  }

  onMissing(length: number, last: boolean): void {
    const { type } = this.reader;
    if (type === RECORD.handshake && !this.encrypted) this.#messages.gap(length, this.#now);
    else if (last && type !== RECORD.changeCipherSpec && type !== RECORD.alert) {
      this.#sink.onProtected(this.#side, type, this.reader.length);
    }
  }

  onNoRecord(): boolean {
    const none = this.reader.records === 0;
    if (none && this.#sink.isEarly(this.#side)) return true;
    this.lost = true;
    this.stop();
    this.#sink.onLost(this.#side, none);
    return false;
  }

  lengthOf(bytes: Uint8Array, start: number): number {
    const length = u8(bytes, start + 1) * 0x10000 + u16(bytes, start + 2);
    const type = u8(bytes, start);
    const fits = type <= TYPE_MAXIMUM && (length <= MESSAGE_MAXIMUM || type === HANDSHAKE.certificate);
    return fits ? HANDSHAKE_HEADER + length : -1;
  }

  onMessage(bytes: Uint8Array, start: number, end: number, _length: number, firstTime: number, lastTime: number): void {
    const first = Number.isNaN(this.#messageTime) ? firstTime : this.#messageTime;
    this.#messageTime = Number.NaN;
    this.#sink.onHandshake(this.#side, u8(bytes, start), bytes, start + HANDSHAKE_HEADER, end, first, lastTime);
  }

  onLost(): void {
    this.lost = true;
    this.reader.reject();
    this.stop();
    this.#sink.onLost(this.#side, false);
  }

  /** Two bytes; more of them, and others, are encrypted or none. */
  #alert(bytes: Uint8Array, start: number, end: number, length: number, seen: number): void {
    if (length !== 2) return;
    if (seen === 2)
      this.#sink.onAlert(this.#side, end - start === 2 ? u8(bytes, start) : this.#alertLevel, u8(bytes, end - 1));
    else this.#alertLevel = u8(bytes, start);
  }
}
