import { isComplete } from '../../analyze/protocols/tls/decrypt/key-log.ts';
import { RecentMap } from '../../analyze/recent-map.ts';
import type { InterfaceOrigin } from '../../capture/streams/merge.ts';
import { counted } from '../../view/units.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import type { Hello } from '../keys/hellos.ts';
import { LiveKeyLog } from '../keys/live-key-log.ts';
import { secretsBlocks } from '../keys/secrets-blocks.ts';
import type { Output, PodKeys } from './output.ts';
import { type BehindGate, SecretsGate } from './secrets-gate.ts';

/** Connections that are remembered, oldest first to go; of those forgotten no secrets are written any more. */
const CONNECTIONS_MAXIMUM = 65_536;

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
  readonly #gate: SecretsGate;
  /** By client random. */
  readonly #connections = new RecentMap<string, Connection>(CONNECTIONS_MAXIMUM);
  /** Connections of which secrets came that were not written yet. */
  readonly #fresh = new Set<string>();
  #answered = 0;
  #decryptable = 0;

  /**
   * @param inner a form that has a place for secrets
   * @param keyLog as OutputContext has it
   * @param now the monotonic clock, ms
   */
  constructor(inner: Output, keyLog: string, now: () => number = () => performance.now()) {
    this.#inner = inner;
    this.#log = new LiveKeyLog(keyLog);
    const behind: BehindGate = {
      onHello: ({ from, random }) => {
        if (from === 'client' && this.#connections.get(random) === undefined) this.#remember(random);
      },
      onPass: (hello) => this.#pass(hello),
      isServed: (random) => this.#connections.get(random)?.complete === true,
      write: (type, id, bytes, offset, length) => inner.write(type, id, bytes, offset, length),
      isEnded: () => inner.ended,
    };
    this.#gate = new SecretsGate(this.#log, behind, now);
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
    this.#gate.addInterface(id, bytes, offset);
    this.#inner.addInterface(id, bytes, offset, length, origin);
  }

  write(type: number, id: number, bytes: Uint8Array, offset: number, length: number): void {
    this.#gate.write(type, id, bytes, offset, length);
  }

  flush(): void {
    this.#gate.flush();
    if (this.#fresh.size > 0) this.#writeFresh(false);
    this.#inner.flush();
  }

  async close(reason: string): Promise<void> {
    await this.#log.close();
    this.#gate.open();
    this.#writeFresh(true);
    await this.#inner.close(reason);
  }

  #remember(random: string): void {
    this.#connections.set(random, { written: 0, complete: false, answered: false });
    // Secrets that came before.
    if (this.#log.keys.secretsNamed(random) !== undefined) this.#fresh.add(random);
  }

  /** A hello is written next. */
  #pass({ from, random }: Hello): void {
    this.#writeSecrets(random);
    const connection = this.#connections.get(random);
    if (from === 'client' || connection === undefined || connection.answered) return;
    connection.answered = true;
    this.#answered += 1;
  }

  /** @param all also what may not be complete: nothing more comes */
  #writeFresh(all: boolean): void {
    for (const random of this.#fresh) {
      const isForgotten = this.#connections.get(random) === undefined;
      if (all || isForgotten || isComplete(this.#log.keys.secretsNamed(random))) this.#writeSecrets(random);
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
