import { DISPOSITION } from '../analyze/engine/analysis.ts';
import { CaptureAnalysis } from '../analyze/engine/capture-analysis.ts';
import type { AnalysisSink } from '../analyze/flow/flow-facts.ts';
import { type Counted, FoundWriter } from '../analyze/found/found-writer.ts';
import type { PacketView } from '../analyze/packet/packet.ts';
import { DecodedPacket } from '../analyze/trace/decoded-packet.ts';
import { Merge } from '../capture/streams/merge.ts';
import type { MergeSource } from '../capture/streams/merge-source.ts';
import type { EdgeRequest } from '../wire/agent-protocol.ts';
import { BLOCK } from '../wire/pcapng.ts';
import { plainBlock, sectionHeader, startMarker } from '../wire/pcapng-write.ts';
import { FoundBatches } from './found-batches.ts';
import { NodeFilter } from './node-filter.ts';
import { ConnectionSink } from './repeated-connections.ts';
import { RepeatedSink } from './repeated-exchanges.ts';
import { Sampling } from './sampling.ts';

/** How often counts are sent while packets come, milliseconds: where something may be shown meanwhile, and where all is at the end. */
const TOTALS_MS = 1_000;
const LATE_TOTALS_MS = 5_000;

/**
 * Analyses the packets of one session beside its agent: the session's stream goes in as it would go to the client, and the stream
 * for the client comes out, with what was found in place of the packets. Interfaces, statistics, states and the end are as they were.
 */
export class EdgeAnalysis {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #now: () => number;
  readonly #merge: Merge;
  readonly #source: MergeSource;
  readonly #capture: CaptureAnalysis;
  readonly #found: FoundWriter;
  readonly #decoded: DecodedPacket;
  readonly #batches: FoundBatches;
  #filter: NodeFilter | undefined;
  /** Where exchanges and connections are added up. */
  readonly #repeated: ConnectionSink | undefined;
  readonly #isAlone: boolean;
  readonly #sampling = new Sampling();
  /** By interface: its link type, and whether it has brought a packet. */
  readonly #linkTypes: number[] = [];
  readonly #began: boolean[] = [];
  #hasPackets = false;
  #opaque = 0;
  #skipped = 0;
  /** The level of sampling that the client knows; nothing is left out before it does. */
  #level = 0;
  readonly #totalsMs: number;
  #totalsAt = 0;
  #ended = false;

  /**
   * @param write takes the stream for the client
   * @param now the monotonic clock, milliseconds
   */
  constructor(request: EdgeRequest, write: (bytes: Uint8Array) => void, now: () => number = () => performance.now()) {
    this.#write = write;
    this.#now = now;
    this.#batches = new FoundBatches(write, now);
    this.#found = new FoundWriter((at, found) => this.#batches.add(at, found));
    this.#totalsMs = request.counts ? LATE_TOTALS_MS : TOTALS_MS;
    // What a node leaves out is decided of each.
    this.#isAlone = request.counts && request.where === undefined && request.alone === true;
    this.#batches.isLate = this.#isAlone;
    if (request.counts && request.where === undefined) {
      const alone = !this.#isAlone ? undefined : request.lookups === true ? 'all' : 'connections';
      this.#repeated = new ConnectionSink(this.#found, new RepeatedSink(this.#found, now), alone, now);
    }
    const { detail, labels, firstLegs, firstLegsOnly, showSecrets } = request;
    this.#capture = new CaptureAnalysis(
      this.#repeated ?? (request.where === undefined ? this.#found : this.#filtered(this.#found)),
      { detail, labels, firstLegs, firstLegsOnly, showSecrets },
      {
        interface: (id, { linkType }) => {
          this.#linkTypes[id] = linkType;
        },
        packet: (packet, taken) => {
          if (taken === DISPOSITION.opaque) this.#opaque += 1;
          if (request.traced) this.#trace(packet);
        },
      },
    );
    const { analysis } = this.#capture;
    this.#decoded = new DecodedPacket(analysis.places, analysis.hosts);
    this.#found.attach(analysis);
    if (request.where !== undefined) this.#filter = NodeFilter.of(request.where, analysis, showSecrets);
    this.#merge = new Merge(
      {
        addInterface: (_id, bytes, offset, length) => this.#pass(BLOCK.interfaceDescription, bytes, offset, length),
        write: (type, id, bytes, offset, length) => this.#block(type, id, bytes, offset, length),
      },
      now,
    );
    this.#source = this.#merge.addSource('');
    write(sectionHeader(''));
    write(startMarker());
  }

  /** The end marker has been written: no more comes. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Take the stream's next bytes, which become this analysis' own.
   * @param waiting bytes of the stream that wait behind these
   * @throws KsnoopError DAMAGED_PCAPNG
   */
  push(bytes: Uint8Array, waiting: number): void {
    if (this.#ended) return;
    this.#sampling.behind(waiting, this.#now());
    this.#source.push(bytes);
    if (this.#source.endMarker === undefined) this.tick();
    else this.#end(this.#source.endMarker);
  }

  /** Send what has waited for long enough; called every few milliseconds. */
  tick(): void {
    if (this.#ended) return;
    this.#merge.release();
    this.#repeated?.tick();
    this.#found.flush();
    if (this.#hasPackets && this.#now() - this.#totalsAt >= this.#totalsMs) this.#sendTotals();
    this.#batches.tick();
  }

  /** Another agent joins the capture: what this one has seen may have been seen there. */
  notAlone(): void {
    this.#batches.isLate = false;
    if (!this.#ended) this.#repeated?.notAlone((visit) => this.#capture.analysis.eachOpenFlow(visit));
  }

  /** A sink that leaves out events which do not match; whose the flow is travels all the same. */
  #filtered(found: FoundWriter): AnalysisSink {
    return {
      event: (event, flow) => {
        if (this.#filter?.wants(event, flow) === false) found.identity(flow);
        else found.event(event, flow);
      },
      flowEnded: (flow) => found.flowEnded(flow),
      flowBegan: (packet) => found.flowBegan(packet),
      leftAt: (packet) => found.leftAt(packet),
      legShown: (...shown) => found.legShown(...shown),
      legJoined: (flow) => found.legJoined(flow),
      notOpened: (flow, initial, leaves) => found.notOpened(flow, initial, leaves),
    };
  }

  #trace(packet: PacketView): void {
    const { flow, clock, places } = this.#capture.analysis;
    const decoded = this.#decoded.set(packet, flow, clock.now);
    this.#found.traced(decoded, decoded.place ^ places.ofInterface(packet.interfaceId));
  }

  #end(marker: Uint8Array): void {
    this.#source.end();
    this.#merge.flush();
    this.#capture.end();
    this.#repeated?.flush();
    if (this.#hasPackets) this.#sendTotals();
    this.#found.flush();
    this.#batches.flush();
    this.#write(plainBlock(BLOCK.ksnoopEnd, marker));
    this.#ended = true;
  }

  #block(type: number, id: number, bytes: Uint8Array, offset: number, length: number): void {
    if (type !== BLOCK.enhancedPacket) {
      this.#pass(type, bytes, offset, length);
      return;
    }
    if (this.#began[id] !== true) this.#begin(id, bytes, offset);
    this.#announceLevel();
    if (this.#level > 0 && this.#sampling.skips(bytes, offset, this.#linkTypes[id] ?? 0)) {
      this.#skipped += 1;
      return;
    }
    this.#capture.framer.pushBlock(type, bytes, offset, length);
  }

  /** What is no packet is for the analysis and for the client. */
  #pass(type: number, bytes: Uint8Array, offset: number, length: number): void {
    this.#capture.framer.pushBlock(type, bytes, offset, length);
    // What findings make of exchanges may change with it. Statistics come every few seconds, and are only counted.
    if (type === BLOCK.interfaceDescription) this.#repeated?.flush();
    else if (type !== BLOCK.interfaceStatistics) this.#repeated?.flushEnded();
    this.#found.flush();
    this.#batches.flush();
    this.#write(bytes.slice(offset, offset + length));
  }

  #begin(id: number, bytes: Uint8Array, offset: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
    const time = (BigInt(view.getUint32(12, true)) << 32n) | BigInt(view.getUint32(16, true));
    this.#began[id] = true;
    this.#hasPackets = true;
    this.#found.interfaceBegan(id, time, this.#isAlone);
  }

  /** Behind the first packet, which gives the time, and behind what was counted before. */
  #announceLevel(): void {
    const { level } = this.#sampling;
    if (level === this.#level || this.#capture.analysis.packets === 0) return;
    this.#level = level;
    this.#repeated?.flush();
    this.#sendTotals();
    this.#found.sampling(level);
  }

  #sendTotals(): void {
    this.#totalsAt = this.#now();
    this.#found.totals(this.#totals(), this.#repeated?.since);
  }

  #totals(): Counted {
    const { analysis, fragments, bytes, truncated } = this.#capture;
    return {
      packets: analysis.packets,
      copies: analysis.copies,
      bytes,
      truncated,
      ...analysis.bounds,
      incomplete: fragments.incomplete,
      fragmentsEvicted: fragments.evicted,
      opaque: this.#opaque,
      skipped: this.#skipped,
      filtered: this.#filter?.leftOut ?? 0,
    };
  }
}
