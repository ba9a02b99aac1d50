import { TimedQueue } from '../../analyze/flow/timed-queue.ts';
import { isComplete } from '../../analyze/protocols/tls/decrypt/key-log.ts';
import { BLOCK } from '../../wire/pcapng.ts';
import { type Hello, Hellos } from '../keys/hellos.ts';
import type { LiveKeyLog } from '../keys/live-key-log.ts';
import type { Output } from './output.ts';

/**
 * How long a hello waits for the secrets of its connection, and what is captured behind it. A key log is looked at every 100 ms;
 * `tail` in a container looks every second.
 */
const SECRETS_WAIT_MS = 1500;
/** Bytes that wait at most; with more, the oldest go on. */
const WAITING_BYTES = 16 * 1024 * 1024;

/** A block that waits, and until when it waits for secrets itself. */
interface Waiting {
  readonly type: number;
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly hello: Hello | undefined;
  /** Monotonic, ms. */
  readonly deadline: number;
}

/** What stands behind a gate. */
export interface BehindGate {
  /** A ClientHello or ServerHello is in a packet: called once, before it waits. */
  onHello?(hello: Hello): void;
  /** Its packet is written next. */
  onPass?(hello: Hello): void;
  /** Whether the secrets of its connection are already where they have to be; undefined: those of the key log count. */
  isServed?(random: string): boolean;
  readonly write: Output['write'];
  /** What is written is not taken any more. */
  isEnded(): boolean;
}

/**
 * Holds a packet with a hello of a TLS connection until the secrets of the connection are there, and all blocks behind it, so that
 * the order stays.
 */
export class SecretsGate {
  readonly #behind: BehindGate;
  readonly #log: LiveKeyLog;
  readonly #now: () => number;
  readonly #hellos = new Hellos();
  readonly #linkTypes: number[] = [];
  readonly #waiting = new TimedQueue<Waiting>(SECRETS_WAIT_MS);
  #waitingBytes = 0;

  /** @param now the monotonic clock, ms */
  constructor(log: LiveKeyLog, behind: BehindGate, now: () => number) {
    this.#log = log;
    this.#behind = behind;
    this.#now = now;
  }

  /** @param bytes have an Interface Description Block at `offset`, little-endian */
  addInterface(id: number, bytes: Uint8Array, offset: number): void {
    this.#linkTypes[id] = (bytes[offset + 8] ?? 0) | ((bytes[offset + 9] ?? 0) << 8);
  }

  write(type: number, id: number, bytes: Uint8Array, offset: number, length: number): void {
    const hello = type === BLOCK.enhancedPacket ? this.#helloIn(id, bytes, offset) : undefined;
    if (this.#waiting.size === 0 && (hello === undefined || this.#isReady(hello.random))) {
      if (hello !== undefined) this.#behind.onPass?.(hello);
      this.#behind.write(type, id, bytes, offset, length);
      return;
    }
    const copy = Uint8Array.from(bytes.subarray(offset, offset + length));
    const now = this.#now();
    this.#waiting.add({ type, id, bytes: copy, hello, deadline: now + SECRETS_WAIT_MS }, now);
    this.#waitingBytes += length;
    if (this.#waitingBytes > WAITING_BYTES) this.#release(now);
  }

  /** Write what has waited long enough, or has its secrets. */
  flush(): void {
    if (this.#waiting.size > 0) this.#release(this.#now());
  }

  /** Write all that waits: no more secrets come. */
  open(): void {
    this.#release(Number.POSITIVE_INFINITY);
  }

  #helloIn(id: number, bytes: Uint8Array, offset: number): Hello | undefined {
    const hello = this.#hellos.find(bytes, offset, id, this.#linkTypes[id] ?? 0);
    if (hello !== undefined) this.#behind.onHello?.(hello);
    return hello;
  }

  #isReady(random: string): boolean {
    return this.#behind.isServed?.(random) === true || isComplete(this.#log.keys.secretsNamed(random));
  }

  #release(now: number): void {
    for (let next = this.#waiting.first; next !== undefined; next = this.#waiting.first) {
      const { type, id, bytes, hello, deadline } = next;
      if (hello !== undefined) {
        const waits = now < deadline && this.#waitingBytes <= WAITING_BYTES && !this.#behind.isEnded();
        if (waits && !this.#isReady(hello.random)) return;
        this.#behind.onPass?.(hello);
      }
      this.#waiting.take();
      this.#waitingBytes -= bytes.length;
      this.#behind.write(type, id, bytes, 0, bytes.length);
    }
  }
}
