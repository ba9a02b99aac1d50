import {
  HeaderProtection,
  openPayload,
  type PacketPlace,
  type PayloadKeys,
  type PlainHeader,
  payloadKeys,
  updatedSecret,
  wholeNumber,
} from './packet-protection.ts';
import type { PacketSuite } from './packet-suite.ts';

/** Windows of packet numbers ahead of the expected one that are tried: so many packets may be missing. */
const WINDOWS_AHEAD = 3;
/** Packets in a row that no key opens, after which each is tried with fewer keys and numbers. */
const FAILURES_MAXIMUM = 64;
const KEY_PHASE = 0x04;

/** Labels of what is derived from a secret: before `key`, `iv` and `hp`; and of the secret behind a key update. */
export interface PacketLabels {
  readonly keys: string;
  readonly update: string;
}

/** A packet without its protection. */
export interface Opened {
  readonly number: number;
  readonly payload: Buffer;
}

/** One key after another of a direction: what a key update makes of the first one (RFC 9001 section 6). */
class Generations {
  readonly suite: PacketSuite;
  readonly header: HeaderProtection;
  /** Of the newest generation with which a packet was opened. */
  current = 0;
  /** Least packet number that was opened with the newest generation. */
  first = 0;
  readonly #labels: PacketLabels;
  #secret: Buffer;
  readonly #keys: PayloadKeys[] = [];
  /** Of which generation the first of `#keys` is. */
  #base = 0;

  constructor(secret: Buffer, suite: PacketSuite, labels: PacketLabels) {
    this.suite = suite;
    this.header = new HeaderProtection(secret, suite, labels.keys);
    this.#labels = labels;
    this.#secret = secret;
    this.#keys.push(payloadKeys(secret, suite, labels.keys));
  }

  /** @returns undefined for a generation that is forgotten */
  keys(generation: number): PayloadKeys | undefined {
    while (generation >= this.#base + this.#keys.length) {
      this.#secret = updatedSecret(this.#secret, this.suite, this.#labels.update);
      this.#keys.push(payloadKeys(this.#secret, this.suite, this.#labels.keys));
    }
    return this.#keys[generation - this.#base];
  }

  advance(generation: number, number: number): void {
    if (generation < this.current) return;
    if (generation > this.current) {
      this.current = generation;
      this.first = number;
    } else this.first = Math.min(this.first, number);
    // Packets that were overtaken may still come with the key before.
    while (this.#base < generation - 1 && this.#keys.length > 1) {
      this.#keys.shift();
      this.#base += 1;
    }
  }
}

/** One direction's packets of one kind, opened with what was made of one secret. */
export class ProtectedPackets {
  /** Greatest packet number that was opened; -1 for none. */
  largest = -1;
  /** One for each suite and each label that the secret may be used with, until packets show which. */
  #lines: Generations[];
  readonly #updates: boolean;
  #failures = 0;
  #opened = false;

  /** @param labels all that may be used @param updates keys may change (1-RTT packets) */
  constructor(secret: Buffer, suites: readonly PacketSuite[], labels: readonly PacketLabels[], updates: boolean) {
    this.#lines = suites.flatMap((suite) => labels.map((each) => new Generations(secret, suite, each)));
    this.#updates = updates;
  }

  /** The other side has received packets up to this number: later ones are sent with numbers near it. */
  acknowledged(number: number): void {
    if (number > this.largest && Number.isSafeInteger(number)) this.largest = number;
  }

  /** Whether the suite or the secret leaves nothing to try. */
  get hopeless(): boolean {
    return this.#lines.length === 0 || (!this.#opened && this.#failures >= FAILURES_MAXIMUM);
  }

  /**
   * @param isGuess whether the packet lies there is not known: that it does not open is no failure
   * @returns undefined where no key opens it
   */
  open(bytes: Uint8Array, place: PacketPlace, isGuess = false): Opened | undefined {
    for (const line of this.#lines) {
      const header = line.header.remove(bytes, place);
      if (header === undefined) return undefined;
      const opened = this.#openWith(line, bytes, header, isGuess);
      if (opened === undefined) continue;
      // Before the first key update the labels make no difference.
      this.#lines = this.#lines.filter(
        (other) => other === line || (line.current === 0 && other.suite === line.suite && other.current === 0),
      );
      this.#opened = true;
      this.#failures = 0;
      this.largest = Math.max(this.largest, opened.number);
      return opened;
    }
    if (!isGuess) this.#failures += 1;
    return undefined;
  }

  #openWith(line: Generations, bytes: Uint8Array, header: PlainHeader, isGuess: boolean): Opened | undefined {
    const nearest = wholeNumber(header, this.largest);
    const windows = !isGuess && this.#failures < FAILURES_MAXIMUM ? WINDOWS_AHEAD : 0;
    for (let ahead = 0; ahead <= windows; ahead += 1) {
      const number = nearest + ahead * 2 ** (8 * header.numberLength);
      for (const generation of this.#generations(line, header, number)) {
        const keys = line.keys(generation);
        const payload = keys === undefined ? undefined : openPayload(keys, bytes, header, number);
        if (payload === undefined) continue;
        line.advance(generation, number);
        return { number, payload };
      }
    }
    return undefined;
  }

  /** Generations whose packets have this key phase, the likeliest first. */
  #generations({ current, first }: Generations, { first: byte }: PlainHeader, number: number): readonly number[] {
    if (!this.#updates) return [0];
    const phase = (byte & KEY_PHASE) === 0 ? 0 : 1;
    if (phase === (current & 1)) return this.#failures > 0 ? [current, current + 2] : [current];
    if (current === 0) return [1];
    return number < first ? [current - 1, current + 1] : [current + 1, current - 1];
  }
}
