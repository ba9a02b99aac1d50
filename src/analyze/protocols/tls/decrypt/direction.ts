import { u8, u16 } from '../../../bytes.ts';
import { type Framing, LengthFramer } from '../../length-framer.ts';
import { HANDSHAKE_HEADER, MESSAGE_KEEP } from '../direction.ts';
import { RECORD, RECORD_HEADER } from '../records.ts';
import type { Arrival } from './inner-stream.ts';
import { type PieceFacts, ProtectedRecords, type ProtectedSink } from './protected-records.ts';
import type { Stage } from './stages.ts';

/** Bytes of one handshake message at most. */
const MESSAGE_MAXIMUM = 1 << 24;
/** Records in a row that no key decrypts, after which the direction is given up. */
const FAILURES_MAXIMUM = 64;
/** What the least protection adds to a record, header included: with it the most records that fit in a hole. */
const RECORD_LEAST = RECORD_HEADER + 8;
/** Record numbers of a new key that are tried, where records with missing bytes may have been the first under it. */
const HOLES_MAXIMUM = 16;
/** Record numbers tried for one place behind a hole. */
const TRIES_PER_PLACE = 4096;
/** What a try costs besides the bytes it decrypts, in bytes. */
const TRY_BYTES = 2048;
/** Bytes that tries may decrypt for one place, and on one direction: at once, and more by each byte that comes. */
const PLACE_BYTES = 9 * 1024 * 1024;
const TRIED_BYTES = 64 * 1024 * 1024;
const TRIED_PER_BYTE = 32;

/** Takes what a direction's records hold. */
export interface DirectionSink {
  /** The keys that come next, in their order; empty while they are not known. `ahead` of the hellos: TLS 1.3's early data. */
  stages(): readonly Stage[];
  /** Whether records of TLS <= 1.2, which name their type, are meant: these are protected behind a ChangeCipherSpec. */
  isTls12(): boolean;
  /** A record was opened with a key: for every one. */
  onOpened(): void;
  onData(stage: Stage['name'], bytes: Uint8Array, arrival: Arrival): void;
  /** Bytes of data that are missing or that no key decrypts, at least about so many. */
  onMissingData(length: number, encryptedEnd: number): void;
  /** Whatever was told as missing so far, none of it was data behind the handshake. */
  onNoneMissed(): void;
  /** @param bytes that are to be held besides; negative: no longer @returns whether so many may be held */
  reserve(bytes: number): boolean;
  onHandshake(type: number, bytes: Uint8Array, start: number, end: number): void;
  onAlert(level: number, description: number): void;
  /** Nothing of this direction will be decrypted any more. */
  onGivenUp(why: string): void;
}

/** One direction: tries the keys on its records, and hands on what a tag proves. */
export class DecryptedDirection implements ProtectedSink, Framing {
  readonly header = HANDSHAKE_HEADER;
  readonly keep = MESSAGE_KEEP;
  givenUp = false;
  readonly #sink: DirectionSink;
  readonly #records = new ProtectedRecords(this);
  readonly #messages = new LengthFramer(this);
  /** TLS <= 1.2: its ChangeCipherSpec was seen. */
  #changed = false;
  /** The key in use and the number of the next record under it. */
  #stage: Stage | undefined;
  #sequence = 0;
  /** Bytes that were told as missing ahead of the record that shows how many are. */
  #toldEarly = 0;
  #failures = 0;
  /** Records with missing bytes since the last that was read. */
  #holes = 0;
  /** Data that lies behind the handshake was decrypted, or is missing for certain. */
  #dataSeen = false;
  /** Bytes that tries may decrypt yet. */
  #triesLeft = TRIED_BYTES;

  constructor(sink: DirectionSink) {
    this.#sink = sink;
  }

  data(bytes: Uint8Array, start: number, end: number, facts: PieceFacts): void {
    if (this.givenUp) this.#sink.onMissingData(end - start, facts.offset + end - start);
    else {
      this.#triesLeft += (end - start) * TRIED_PER_BYTE;
      this.#records.data(bytes, start, end, facts);
    }
  }

  /** @param offset behind the hole */
  gap(length: number, offset: number): void {
    if (this.givenUp) {
      this.#sink.onMissingData(length, offset);
      return;
    }
    // That something is missing has to be known before the other side acknowledges what lies behind it; how much is known later.
    if (this.#toldEarly === 0) {
      this.#toldEarly = 1;
      this.#sink.onMissingData(1, offset);
    }
    this.#records.gap(length, offset);
  }

  /** Nothing more comes. */
  stop(): void {
    this.#records.stop();
  }

  onRecord(header: Uint8Array, body: Uint8Array, arrival: Arrival): void {
    if (this.givenUp || !this.#isProtected(u8(header, 0))) return;
    const plain = this.#open(header, body);
    if (plain !== undefined) {
      this.#failures = 0;
      this.#opened(u8(header, 0), plain, arrival);
      return;
    }
    this.#unreadable(body.length, arrival.encryptedEnd);
    this.#failures += 1;
    if (this.#failures >= FAILURES_MAXIMUM) this.#giveUp('the keys do not decrypt it');
  }

  onHole(type: number, length: number, encryptedEnd: number): void {
    if (this.givenUp || !this.#isProtected(type)) return;
    this.#holes = Math.min(this.#holes + 1, HOLES_MAXIMUM);
    this.#unreadable(length, encryptedEnd);
  }

  onCandidate(header: Uint8Array, body: Uint8Array, arrival: Arrival, missing: number): boolean {
    if (this.givenUp) return false;
    // Of TLS 1.3 all protected records are of one type.
    if (!this.#sink.isTls12() && u8(header, 0) !== RECORD.applicationData) return false;
    const cost = TRY_BYTES + body.length;
    const most = Math.min(TRIES_PER_PLACE, Math.floor(PLACE_BYTES / cost), Math.floor(missing / RECORD_LEAST) + 1);
    const before = this.#sequence;
    const current = this.#stage;
    for (const stage of this.#candidates()) {
      if (body.length < (stage.cipher.overhead ?? 0)) continue;
      const from = stage === current ? before : 0;
      for (let sequence = from; sequence <= from + most; sequence += 1) {
        this.#triesLeft -= cost;
        if (this.#triesLeft < 0) {
          this.#giveUp('too many packets are missing');
          return false;
        }
        const plain = stage.cipher.open(header, body, sequence);
        if (plain === undefined) continue;
        const { overhead } = stage.cipher;
        this.#changed = true;
        this.#messages.gap(MESSAGE_MAXIMUM, 0);
        if (overhead === undefined) {
          // How much padding the missing records had is not known: nor is how much data is missing.
          this.#giveUp('packets are missing');
          return false;
        }
        const lost = missing - (sequence - from) * (RECORD_HEADER + overhead);
        this.#missing(lost, arrival.encryptedEnd - body.length - RECORD_HEADER);
        this.#use(stage, sequence);
        this.#opened(u8(header, 0), plain, arrival);
        return true;
      }
    }
    return false;
  }

  reserve(bytes: number): boolean {
    return this.#sink.reserve(bytes);
  }

  lengthOf(bytes: Uint8Array, start: number): number {
    return HANDSHAKE_HEADER + u8(bytes, start + 1) * 0x10000 + u16(bytes, start + 2);
  }

  onMessage(bytes: Uint8Array, start: number, end: number): void {
    this.#sink.onHandshake(u8(bytes, start), bytes, start + HANDSHAKE_HEADER, end);
  }

  onLost(): void {
    // Messages behind a hole are not looked for: none of them is needed.
  }

  #isProtected(type: number): boolean {
    if (!this.#sink.isTls12()) return type === RECORD.applicationData;
    if (this.#changed) return true;
    if (type === RECORD.changeCipherSpec) this.#changed = true;
    return false;
  }

  /** The key in use, what it becomes by a KeyUpdate, and the keys that come after it. */
  #candidates(): Stage[] {
    const stages = this.#sink.stages();
    const current = this.#stage;
    if (current === undefined) return [...stages];
    const updated = current.name === 'data' ? current.next?.() : undefined;
    const order = ['early', 'handshake', 'data'];
    const later = stages.filter((stage) => order.indexOf(stage.name) > order.indexOf(current.name));
    return [current, ...(updated === undefined ? [] : [updated]), ...later];
  }

  /** A record's content by the key that verifies. */
  #open(header: Uint8Array, body: Uint8Array): Uint8Array | undefined {
    const current = this.#stage;
    const plain = current?.cipher.open(header, body, this.#sequence);
    if (current !== undefined && plain !== undefined) {
      this.#use(current, this.#sequence);
      return plain;
    }
    for (const stage of this.#candidates()) {
      if (stage === current) continue;
      // Those with missing bytes may be of the new key already.
      for (let sequence = 0; sequence <= this.#holes; sequence += 1) {
        const other = stage.cipher.open(header, body, sequence);
        if (other === undefined) continue;
        this.#use(stage, sequence);
        return other;
      }
    }
    return undefined;
  }

  /** A record was read with a key. */
  #use(stage: Stage, sequence: number): void {
    // The first record of TLS 1.2 is the Finished.
    const ahead = this.#sink.isTls12() ? 1 : 0;
    if (stage.name === 'data' && !this.#dataSeen) {
      if (sequence <= ahead && this.#stage?.name !== 'data') {
        this.#toldEarly = 0;
        this.#sink.onNoneMissed();
      }
      this.#dataSeen = sequence >= ahead;
    }
    this.#stage = stage;
    this.#sequence = sequence + 1;
    this.#holes = 0;
    this.#sink.onOpened();
  }

  /** A record that cannot be read: it counts, and what it holds is missing where data had begun. */
  #unreadable(length: number, encryptedEnd: number): void {
    this.#sequence += 1;
    const cipher = this.#stage?.cipher;
    this.#missing(length - (cipher?.overhead ?? 0), encryptedEnd);
    if (cipher !== undefined && cipher.overhead === undefined) this.#giveUp('packets are missing');
  }

  #missing(length: number, encryptedEnd: number): void {
    const more = Math.max(1, length) - this.#toldEarly;
    this.#toldEarly = 0;
    if (more > 0) this.#sink.onMissingData(more, encryptedEnd);
  }

  #opened(outerType: number, plain: Uint8Array, arrival: Arrival): void {
    let end = plain.length;
    let type = outerType;
    if (!this.#sink.isTls12()) {
      // The type stands behind the content, zeros of padding behind it (RFC 8446 section 5.4).
      while (end > 0 && plain[end - 1] === 0) end -= 1;
      if (end === 0) return;
      end -= 1;
      type = u8(plain, end);
    }
    if (type === RECORD.applicationData) {
      this.#sink.onData(this.#stage?.name ?? 'data', plain.subarray(0, end), arrival);
    } else if (type === RECORD.handshake) this.#messages.data(plain, 0, end, 0);
    else if (type === RECORD.alert && end === 2) this.#sink.onAlert(u8(plain, 0), u8(plain, 1));
  }

  #giveUp(why: string): void {
    if (this.givenUp) return;
    this.givenUp = true;
    this.#records.stop();
    this.#sink.onGivenUp(why);
  }
}
