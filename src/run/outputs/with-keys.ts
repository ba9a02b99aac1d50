import { TimedQueue } from '../../analyze/flow/timed-queue.ts';
import { isComplete } from '../../analyze/protocols/tls/decrypt/key-log.ts';
import { RecentMap } from '../../analyze/recent-map.ts';
import type { InterfaceOrigin } from '../../capture/streams/merge.ts';
import { counted } from '../../view/units.ts';
import { BLOCK } from '../../wire/pcapng.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import { type Hello, Hellos } from '../keys/hellos.ts';
import { LiveKeyLog } from '../keys/live-key-log.ts';
import { secretsBlocks } from '../keys/secrets-blocks.ts';
import type { Output, PodKeys } from './output.ts';

/**
 * How long a hello waits for the secrets of its connection, and what is captured behind it. A key log is looked at every 100 ms;
 * `tail` in a container looks every second.
 */
const SECRETS_WAIT_MS = 1500;
/** Bytes that wait at most; with more, the oldest are written. */
const WAITING_BYTES = 16 * 1024 * 1024;
/** Connections that are remembered, oldest first to go; of those forgotten no secrets are written any more. */
const CONNECTIONS_MAXIMUM = 65_536;

/** A block that waits, and until when it waits for secrets itself. */
interface Waiting {
  readonly type: number;
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly hello: Hello | undefined;
  /** Monotonic, ms. */
  readonly deadline: number;
}

/** A connection whose ClientHello was captured. */
interface Connection {
  /** Lines of its secrets that were written. */
  written: number;
  /** Nothing more has to be written. */
  complete: boolean;
  /** Its ServerHello was written. */
  answered: boolean;
}

/**
 * Writes the secrets of the captured TLS connections into the packets' file. Wireshark decrypts a connection only when its secrets precede
 * its ServerHello, ksnoop when they precede its ClientHello. So these wait for them, and all behind: the order stays. Secrets that come
 * later are written when they come.
 */
export class OutputWithKeys implements Output {
  readonly podKeys: PodKeys | undefined;
  readonly #inner: Output;
  readonly #log: LiveKeyLog;
  readonly #now: () => number;
  readonly #hellos = new Hellos();
  readonly #linkTypes: number[] = [];
  /** By client random. */
  readonly #connections = new RecentMap<string, Connection>(CONNECTIONS_MAXIMUM);
  /** Connections of which secrets came that were not written yet. */
  readonly #fresh = new Set<string>();
  readonly #waiting = new TimedQueue<Waiting>(SECRETS_WAIT_MS);
  #waitingBytes = 0;
  #answered = 0;
  #decryptable = 0;

  /**
   * @param inner a form that has a place for secrets
   * @param keyLog as OutputContext has it
   * @param now the monotonic clock, ms
   */
  constructor(inner: Output, keyLog: string, now: () => number = () => performance.now()) {
    this.#inner = inner;
    this.#now = now;
    this.#log = new LiveKeyLog(keyLog);
    const { inPods, keys } = this.#log;
    this.podKeys = inPods && { file: inPods, keys: [keys] };
    keys.onAdded = (random) => {
      if (this.#connections.get(random) !== undefined) this.#fresh.add(random);
    };
  }

  get pending(): number {
    return this.#inner.pending;
  }

  get ended(): boolean {
    return this.#inner.ended;
  }

  get omitted(): string | undefined {
    const { omitted } = this.#inner;
    const keys = `secrets of ${counted(this.#decryptable, 'TLS connection')} written`;
    const without = Math.max(0, this.#answered - this.#decryptable);
    const note = without === 0 ? keys : `${keys}; ${counted(without, 'connection')} without`;
    return omitted === undefined ? note : `${omitted}; ${note}`;
  }

  addNames(records: readonly NamedAddress[]): void {
    this.#inner.addNames(records);
  }

  addInterface(id: number, bytes: Uint8Array, offset: number, length: number, origin: InterfaceOrigin): void {
    this.#linkTypes[id] = (bytes[offset + 8] ?? 0) | ((bytes[offset + 9] ?? 0) << 8);
    this.#inner.addInterface(id, bytes, offset, length, origin);
  }

  write(type: number, id: number, bytes: Uint8Array, offset: number, length: number): void {
    const hello = type === BLOCK.enhancedPacket ? this.#helloIn(id, bytes, offset) : undefined;
    if (this.#waiting.size === 0 && (hello === undefined || this.#isReady(hello.random))) {
      if (hello !== undefined) this.#pass(hello);
      this.#inner.write(type, id, bytes, offset, length);
      return;
    }
    const copy = Uint8Array.from(bytes.subarray(offset, offset + length));
    const now = this.#now();
    this.#waiting.add({ type, id, bytes: copy, hello, deadline: now + SECRETS_WAIT_MS }, now);
    this.#waitingBytes += length;
    if (this.#waitingBytes > WAITING_BYTES) this.#release(now);
  }

  flush(): void {
    if (this.#waiting.size > 0) this.#release(this.#now());
    if (this.#fresh.size > 0) this.#writeFresh(false);
    this.#inner.flush();
  }

  async close(reason: string): Promise<void> {
    await this.#log.close();
    this.#release(Number.POSITIVE_INFINITY);
    this.#writeFresh(true);
    await this.#inner.close(reason);
  }

  #helloIn(id: number, bytes: Uint8Array, offset: number): Hello | undefined {
    const hello = this.#hellos.find(bytes, offset, id, this.#linkTypes[id] ?? 0);
    if (hello?.from === 'client' && this.#connections.get(hello.random) === undefined) this.#remember(hello.random);
    return hello;
  }

  #remember(random: string): void {
    this.#connections.set(random, { written: 0, complete: false, answered: false });
    // Secrets that came before.
    if (this.#log.keys.secretsNamed(random) !== undefined) this.#fresh.add(random);
  }

  #isReady(random: string): boolean {
    return this.#connections.get(random)?.complete === true || isComplete(this.#log.keys.secretsNamed(random));
  }

  /** A hello is written next. */
  #pass({ from, random }: Hello): void {
    this.#writeSecrets(random);
    const connection = this.#connections.get(random);
    if (from === 'client' || connection === undefined || connection.answered) return;
    connection.answered = true;
    this.#answered += 1;
  }

  /** Write what has waited long enough, or has its secrets. */
  #release(now: number): void {
    for (let next = this.#waiting.first; next !== undefined; next = this.#waiting.first) {
      const { type, id, bytes, hello, deadline } = next;
      if (hello !== undefined) {
        const waits = now < deadline && this.#waitingBytes <= WAITING_BYTES && !this.#inner.ended;
        if (waits && !this.#isReady(hello.random)) return;
        this.#pass(hello);
      }
      this.#waiting.take();
      this.#waitingBytes -= bytes.length;
      this.#inner.write(type, id, bytes, 0, bytes.length);
    }
  }

  /** @param all also what may not be complete: nothing more comes */
  #writeFresh(all: boolean): void {
    for (const random of this.#fresh) {
      const isForgotten = this.#connections.get(random) === undefined;
      if (all || isForgotten || this.#isReady(random)) this.#writeSecrets(random);
    }
  }

  /** Write what is known of a connection's secrets and was not written yet. */
  #writeSecrets(random: string): void {
    const { keys } = this.#log;
    const connection = this.#connections.get(random);
    this.#fresh.delete(random);
    if (connection === undefined) return;
    const lines = [...keys.linesOf(random)];
    if (lines.length > connection.written) {
      for (const block of secretsBlocks(lines)) this.#inner.addSecrets?.(block);
      if (connection.written === 0) this.#decryptable += 1;
      connection.written = lines.length;
      connection.complete = isComplete(keys.secretsNamed(random));
    }
    // The other side's key log has the same.
    if (connection.complete) keys.forget(random);
  }
}
