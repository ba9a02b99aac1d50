import type { InterfaceCounters } from '../../wire/agent-protocol.ts';
import { Deadline } from '../../wire/deadline.ts';
import { KsnoopError } from '../../wire/errors.ts';
import { interfaceDescription, interfaceStatistics } from '../../wire/pcapng-write.ts';
import { BUSY_PACKETS, CALM_CHECKS, CALM_PACKETS, TCPDUMP_START_MS } from '../limits.ts';
import type { OpenNetns } from '../netns/namespace.ts';
import type { Spool } from '../spool/spool.ts';
import { FirstPackets } from './first-packets.ts';
import { PacketSource, packetClock, packetTime, type SourceHandlers } from './packet-source.ts';
import { PacketWriter } from './packet-writer.ts';
import type { TcpdumpMode, TcpdumpOptions } from './tcpdump.ts';
import { cannotPrint, plainWords, whyEnded } from './tcpdump-errors.ts';

/** How the capture of one namespace ended. */
export type InterfaceEnd = { readonly kind: 'stopped' } | { readonly kind: 'failed'; readonly error: KsnoopError };

export interface InterfaceCaptureOptions {
  readonly namespace: OpenNetns;
  /** if_description of its block. */
  readonly description: string;
  readonly tcpdump: TcpdumpOptions;
  /** Where its packets go. */
  readonly spool: Spool;
  /** Gives the interface's number in the stream at the moment its block is written. */
  readonly nextId: () => number;
}

/** One network namespace: its tcpdump, its interface in the stream, its counters. */
export class InterfaceCapture {
  /** Resolves when the last packet and the last statistics are in the spool. */
  readonly ended: Promise<InterfaceEnd>;
  readonly name: string;
  readonly #namespace: OpenNetns;
  readonly #description: string;
  readonly #options: TcpdumpOptions;
  readonly #spool: Spool;
  readonly #nextId: () => number;
  readonly #end = Promise.withResolvers<InterfaceEnd>();
  #source: PacketSource | undefined;
  /** Every source whose tcpdump has not ended: those that are being started or replaced too. */
  readonly #living = new Set<PacketSource>();
  #first: FirstPackets | undefined;
  #writer: PacketWriter | undefined;
  #startTime = now();
  #handOver: Promise<void> | undefined;
  #calmChecks = 0;
  #takenBefore = 0;
  #stopping = false;
  #killed = false;
  /** Every packet up to the end has come. */
  #drained = false;
  /** Counts of the sources before this one. */
  #receivedBefore = 0;
  #droppedBefore = 0;

  constructor({ namespace, description, tcpdump, spool, nextId }: InterfaceCaptureOptions) {
    this.name = `${namespace.name}/${tcpdump.interface}`;
    this.ended = this.#end.promise;
    this.#namespace = namespace;
    this.#description = description;
    this.#options = tcpdump;
    this.#spool = spool;
    this.#nextId = nextId;
  }

  get id(): number | undefined {
    return this.#writer?.id;
  }

  get counters(): InterfaceCounters {
    const captured = this.#writer?.captured ?? 0;
    const droppedByKsnoop = this.#writer?.dropped ?? 0;
    const droppedByKernel = this.#droppedBefore + (this.#source?.droppedByKernel ?? 0);
    const received = this.#receivedBefore + (this.#source?.received ?? 0);
    const known = captured + droppedByKsnoop + droppedByKernel;
    // tcpdump's own count is as old as its last statistics, and at the end it has packets in it that came after the end.
    return { captured, received: this.#drained ? known : Math.max(received, known), droppedByKernel, droppedByKsnoop };
  }

  /**
   * Resolves when packets of the namespace are being captured.
   * @param hurry whether its first packets justify a separate tcpdump
   * @throws KsnoopError why not: UNKNOWN_INTERFACE, TCPDUMP_NOT_STARTED, TCPDUMP_ENDED, TCPDUMP_SILENT, NO_PIPE
   */
  async start(hurry = false): Promise<void> {
    const since = performance.now();
    let source = this.#open('prompt');
    if (hurry) this.#first = new FirstPackets(this.#namespace, this.#options, this.#handlers('immediate'));
    if (!(await listens(source)) && cannotPrint(source.tcpdump.stderr)) source = this.#open('flushed');
    if (!(await listens(source))) {
      this.#first?.close();
      const { stderr } = source.tcpdump;
      if (performance.now() - since < TCPDUMP_START_MS) throw await whyEnded(this.#namespace, this.#options, stderr);
      const words = plainWords(stderr);
      throw new KsnoopError('TCPDUMP_SILENT', `tcpdump did not start in ${this.#namespace.name}: ${words}.`);
    }
    if (await this.#first?.listens()) {
      source.after = packetClock();
      this.#first?.begin(source.after);
    }
    this.#startTime = now();
    this.#use(source);
  }

  /** Called every LIFE_CHECK_MS: a namespace that has become calm gets its packets at once again. */
  check(): void {
    const taken = this.#taken;
    const calm = taken - this.#takenBefore < CALM_PACKETS;
    this.#takenBefore = taken;
    this.#calmChecks = calm ? this.#calmChecks + 1 : 0;
    if (this.#calmChecks >= CALM_CHECKS && this.#source?.tcpdump.mode === 'busy') this.#change('prompt');
  }

  askStatistics(): void {
    this.#source?.tcpdump.askStatistics();
  }

  /** @param last adds isb_endtime: no more packets will come */
  writeStatistics(last: boolean): void {
    const interfaceId = this.id;
    if (interfaceId === undefined) return;
    const { captured, received, droppedByKernel } = this.counters;
    const time = now();
    const endTime = last ? time : undefined;
    const startTime = this.#startTime;
    this.#spool.push(
      interfaceStatistics({ interfaceId, time, startTime, endTime, received, droppedByKernel, captured }),
    );
  }

  /** End in good order: packets that have reached the kernel's ring until now come out first, later ones do not. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    const at = packetClock();
    this.#first?.close();
    await this.#handOver;
    const source = this.#source;
    if (source === undefined) return;
    source.until = at;
    this.#drained = await source.reached(at);
    await source.tcpdump.stop();
  }

  kill(): void {
    this.#stopping = true;
    this.#killed = true;
    this.#first?.close();
    for (const { tcpdump } of this.#living) tcpdump.kill();
  }

  get #taken(): number {
    return (this.#writer?.captured ?? 0) + (this.#writer?.dropped ?? 0);
  }

  #open(mode: TcpdumpMode): PacketSource {
    const handlers = this.#handlers(mode);
    const packet: SourceHandlers['packet'] = (seconds, nanoseconds, caplen, origlen, bytes, offset) => {
      if (this.#first !== undefined) {
        const packetBytes = bytes.subarray(offset, offset + caplen);
        if (this.#first.repeats(packetTime(seconds, nanoseconds), origlen, packetBytes)) return;
        if (this.#first.done) this.#first = undefined;
      }
      handlers.packet(seconds, nanoseconds, caplen, origlen, bytes, offset);
    };
    const source = PacketSource.open(this.#namespace, this.#options, mode, { ...handlers, packet });
    this.#living.add(source);
    void source.tcpdump.ended.then(() => this.#living.delete(source));
    if (this.#killed) source.tcpdump.kill();
    return source;
  }

  #handlers(mode: TcpdumpMode): SourceHandlers {
    return {
      header: (linkType) => this.#describe(linkType),
      packet: (seconds, nanoseconds, caplen, origlen, bytes, offset) =>
        this.#writer?.write(seconds, nanoseconds, caplen, origlen, bytes, offset),
      taken: () => {
        this.#spool.scheduleFlush();
        if (mode === 'prompt' && this.#taken - this.#takenBefore > BUSY_PACKETS) this.#change('busy');
      },
    };
  }

  /** Writes the interface's block, when the first tcpdump's file header has the link type. */
  #describe(linkType: number): void {
    if (this.#writer !== undefined) return;
    this.#writer = new PacketWriter(this.#spool, this.#nextId(), linkType);
    const { snaplen, filter } = this.#options;
    const { name } = this;
    this.#spool.push(interfaceDescription({ linkType, snaplen, name, description: this.#description, filter }));
  }

  #use(source: PacketSource): void {
    this.#source = source;
    this.#calmChecks = 0;
    void source.tcpdump.ended.then(async () => {
      // During a hand-over its end is expected.
      if (this.#source !== source || this.#handOver !== undefined) return;
      await this.#finish(source);
    });
  }

  async #finish({ damage, tcpdump }: PacketSource): Promise<void> {
    this.#first?.close();
    await this.#first?.ended;
    this.writeStatistics(true);
    if (this.#stopping) this.#end.resolve({ kind: 'stopped' });
    else this.#end.resolve({ kind: 'failed', error: damage ?? (await this.#why(tcpdump.stderr)) });
  }

  #why(stderr: string): Promise<KsnoopError> {
    return whyEnded(this.#namespace, this.#options, stderr);
  }

  #change(mode: TcpdumpMode): void {
    const old = this.#source;
    if (old === undefined || this.#stopping || this.#handOver !== undefined) return;
    this.#handOver = this.#replace(old, mode).finally(() => {
      this.#handOver = undefined;
      // An end during the hand-over was not handled.
      if (this.#source?.tcpdump.over) void this.#finish(this.#source);
    });
  }

  /** Go on with another tcpdump, from a moment at which both capture. Where that fails the old one stays. */
  async #replace(old: PacketSource, mode: TcpdumpMode): Promise<void> {
    let next: PacketSource;
    try {
      next = this.#open(mode);
    } catch {
      return;
    }
    // Read and left out until the moment, so that it can print its statistics.
    next.after = Number.POSITIVE_INFINITY;
    const listening = await listens(next);
    const earlier = listening ? await next.tcpdump.freshStatistics() : undefined;
    if (!listening || next.tcpdump.over || this.#killed || old.tcpdump.over) {
      next.tcpdump.kill();
      return;
    }
    next.tcpdump.pause();
    const at = packetClock();
    old.until = at;
    next.after = at;
    // A dropped packet has no time. What the old one drops past the moment the next one has or drops too, and the other way
    // round before it, so the statistics of both are taken as close to the moment as they can be.
    next.droppedEarlier = earlier?.droppedByKernel ?? 0;
    old.droppedUntil = (await old.tcpdump.freshStatistics())?.droppedByKernel;
    await old.reached(at);
    await old.tcpdump.stop();
    const { captured, droppedByKsnoop } = this.counters;
    this.#droppedBefore += old.droppedByKernel;
    this.#receivedBefore = captured + droppedByKsnoop + this.#droppedBefore;
    next.tcpdump.resume();
    if (this.#killed) next.tcpdump.kill();
    this.#use(next);
  }
}

/** Whether a source captures within TCPDUMP_START_MS; if not it has been ended. */
async function listens({ tcpdump }: PacketSource): Promise<boolean> {
  const late = new Deadline(TCPDUMP_START_MS, () => tcpdump.kill());
  const listening = await tcpdump.listening;
  late.clear();
  return listening;
}

/** Wall-clock time in nanoseconds since 1970, to the millisecond that Node has. */
function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
