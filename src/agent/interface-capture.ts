import type { InterfaceCounters } from '../wire/agent-protocol.ts';
import { KsnoopError, messageOf } from '../wire/errors.ts';
import { PcapFramer } from '../wire/pcap-read.ts';
import { interfaceDescription, interfaceStatistics } from '../wire/pcapng-write.ts';
import { directionFlags, packetTypeOffset } from './direction.ts';
import { RING_DRAIN_MS, TCPDUMP_START_MS } from './limits.ts';
import type { HeldNamespace } from './namespace.ts';
import type { Spool } from './spool.ts';
import { isInterfaceError, Tcpdump, type TcpdumpOptions, unknownInterface } from './tcpdump.ts';

/** How the capture of one namespace ended. */
export type InterfaceEnd = { readonly kind: 'stopped' } | { readonly kind: 'failed'; readonly error: KsnoopError };

/** One network namespace: its tcpdump, its interface in the stream, its counters. */
export class InterfaceCapture {
  /** Resolves when packets of the namespace are being captured. @throws KsnoopError why not */
  readonly started: Promise<void>;
  /** Resolves when the last packet and the last statistics are in the spool. */
  readonly ended: Promise<InterfaceEnd>;
  readonly name: string;
  readonly #tcpdump: Tcpdump;
  readonly #framer: PcapFramer;
  readonly #spool: Spool;
  readonly #nextId: () => number;
  readonly #startTime = now();
  #id: number | undefined;
  #typeOffset = -1;
  #captured = 0;
  #dropped = 0;
  #second = -1;
  #secondHigh = 0;
  #secondLow = 0;
  #stopping = false;
  #damage: KsnoopError | undefined;
  #begin: () => void = () => {};

  /** @param nextId gives the interface's number in the stream at the moment its block is written */
  constructor(
    namespace: HeldNamespace,
    description: string,
    options: TcpdumpOptions,
    spool: Spool,
    nextId: () => number,
  ) {
    this.name = `${namespace.name}/${options.interface}`;
    this.#spool = spool;
    this.#nextId = nextId;
    this.#framer = new PcapFramer({
      header: ({ linkType, snaplen }) => {
        this.#typeOffset = packetTypeOffset(linkType);
        this.#id = this.#nextId();
        const { filter } = options;
        spool.push(interfaceDescription({ linkType, snaplen, name: this.name, description, filter }));
        if (this.#tcpdump.listening) this.#begin();
      },
      packet: (seconds, nanoseconds, caplen, origlen, bytes, offset) =>
        this.#packet(seconds, nanoseconds, caplen, origlen, bytes, offset),
    });
    this.#tcpdump = new Tcpdump(
      namespace,
      options,
      (chunk) => this.#take(chunk),
      () => {
        if (this.#id !== undefined) this.#begin();
      },
    );
    this.started = new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => {
        reject(new KsnoopError('TCPDUMP_SILENT', `tcpdump did not start in ${namespace.name}: ${this.#tcpdump.words}`));
        this.#tcpdump.kill();
      }, TCPDUMP_START_MS);
      this.#begin = () => {
        clearTimeout(late);
        resolve();
      };
      void this.#tcpdump.ended.then(async () => {
        clearTimeout(late);
        reject(await this.#whyEnded(namespace, options));
      });
    });
    this.started.catch(() => {});
    this.ended = this.#tcpdump.ended.then(async () => {
      this.writeStatistics(true);
      if (this.#stopping) return { kind: 'stopped' };
      return { kind: 'failed', error: this.#damage ?? (await this.#whyEnded(namespace, options)) };
    });
  }

  get pid(): number | undefined {
    return this.#tcpdump.pid;
  }

  get id(): number | undefined {
    return this.#id;
  }

  get counters(): InterfaceCounters {
    const { received, droppedByKernel } = this.#tcpdump.statistics;
    return {
      captured: this.#captured,
      // tcpdump's own count is as old as its last statistics.
      received: Math.max(received, this.#captured + this.#dropped + droppedByKernel),
      droppedByKernel,
      droppedByKsnoop: this.#dropped,
    };
  }

  askStatistics(): void {
    this.#tcpdump.askStatistics();
  }

  /** @param last adds isb_endtime: no more packets will come */
  writeStatistics(last: boolean): void {
    if (this.#id === undefined) return;
    const { captured, received, droppedByKernel } = this.counters;
    const time = now();
    this.#spool.push(
      interfaceStatistics({
        interfaceId: this.#id,
        time,
        startTime: this.#startTime,
        endTime: last ? time : undefined,
        received,
        droppedByKernel,
        captured,
      }),
    );
  }

  /** End in good order: what the kernel's ring holds comes out first. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    await new Promise((resolve) => setTimeout(resolve, RING_DRAIN_MS));
    await this.#tcpdump.stop();
  }

  kill(): void {
    this.#stopping = true;
    this.#tcpdump.kill();
  }

  #take(chunk: Buffer): void {
    if (this.#damage !== undefined) return;
    try {
      this.#framer.push(chunk);
    } catch (thrown) {
      this.#damage = thrown instanceof KsnoopError ? thrown : new KsnoopError('BAD_STREAM', messageOf(thrown));
      this.#tcpdump.kill();
    }
    this.#spool.scheduleFlush();
  }

  #packet(
    seconds: number,
    nanoseconds: number,
    caplen: number,
    origlen: number,
    bytes: Uint8Array,
    offset: number,
  ): void {
    if (seconds !== this.#second) this.#useSecond(seconds);
    const low = this.#secondLow + nanoseconds;
    const carry = low >= 4_294_967_296 ? 1 : 0;
    const typeAt = this.#typeOffset;
    const flags = typeAt >= 0 && caplen > typeAt ? directionFlags(bytes[offset + typeAt] ?? -1) : 0;
    const high = this.#secondHigh + carry;
    if (this.#spool.pushPacket(this.#id ?? 0, high, low >>> 0, caplen, origlen, flags, bytes, offset))
      this.#captured += 1;
    else this.#dropped += 1;
  }

  /** seconds × 10⁹ as two 32-bit words, without BigInt: in two halves that a double holds exactly. */
  #useSecond(seconds: number): void {
    const upper = Math.floor(seconds / 65_536) * 1e9;
    const low = (upper % 65_536) * 65_536 + (seconds % 65_536) * 1e9;
    this.#second = seconds;
    this.#secondHigh = Math.floor(upper / 65_536) + Math.floor(low / 4_294_967_296);
    this.#secondLow = low % 4_294_967_296;
  }

  async #whyEnded(namespace: HeldNamespace, options: TcpdumpOptions): Promise<KsnoopError> {
    const { words } = this.#tcpdump;
    if (isInterfaceError(words)) return unknownInterface(namespace, options);
    return new KsnoopError('TCPDUMP_ENDED', `tcpdump ended in ${namespace.name}: ${words || 'it gave no reason'}.`, {
      hint: /permi/i.test(words) ? 'The agent lacks a capability: see daemonset/.' : undefined,
    });
  }
}

/** Wall-clock time in nanoseconds since 1970; Node tells milliseconds. */
function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
