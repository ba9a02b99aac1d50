import { addressText } from '../../wire/address-text.ts';
import type { CaptureInterface } from '../../wire/capture-interface.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import type { AlikeExchanges } from '../flow/alike.ts';
import type { AnalysisSink, FlowInfo } from '../flow/flow-facts.ts';
import type { RepeatedConnections } from '../flow/repeated-connections.ts';
import type { TracedPacket } from '../flow/traced-packet.ts';
import { Names } from '../identity/names.ts';
import { DIRECTION } from '../layers/layer.ts';
import { CLUSTERS_MAXIMUM } from '../limits.ts';
import type { PacketView } from '../packet/packet.ts';
import { observedAddresses } from '../protocols/dns/index.ts';
import { packetInfo } from '../protocols/packet-info.ts';
import { KeyLog } from '../protocols/tls/decrypt/key-log.ts';
import { REQUEST_UNKNOWN } from '../protocols/unfinished.ts';
import type { AnalysisEvent, Exchange } from '../record/event.ts';
import { maskCounted, maskEvent } from '../record/mask-event.ts';
import { type JsonRecord, Recorder } from '../record/record.ts';
import type { RepeatedExchanges } from '../record/repeated-exchanges.ts';
import { type SampleRecord, sampleRecord } from '../record/sample-record.ts';
import { NetworkStates } from '../state/network-states.ts';
import type { Disposition } from './analysis.ts';
import { CaptureAnalysis, type PacketChoice, type PacketObserver } from './capture-analysis.ts';
import type { AnalysisOutput, AnalysisOutputContext, AnalysisOutputKind, Found } from './output.ts';

/** What decides which records are shown (`--where`). */
export interface Condition {
  matches(record: JsonRecord): boolean;
  /** Message for the end, such as why nothing matched; undefined for none. */
  note?(): string | undefined;
  /** Records that do not match were left out before they came here. @param count since the last time */
  leftOut?(count: number): void;
}

export interface SessionSettings extends Omit<AnalysisOutputContext, 'session'> {
  readonly where: Condition | undefined;
  /** Which packets are looked at; all without. */
  readonly choice: PacketChoice | undefined;
  readonly showSecrets: boolean;
  /** Bodies of messages are wanted (`--body`). */
  readonly bodies?: boolean | undefined;
  /** Secrets of TLS connections (`--keylog`); those in the capture are added. */
  readonly keys?: KeyLog | undefined;
}

/** One analysis with its names and its output: bytes of a capture go in, lines come out. */
export class AnalysisSession {
  readonly capture: CaptureAnalysis;
  readonly names: Names;
  readonly interfaces: CaptureInterface[] = [];
  /** Responses of which it is not known which of several requests they answer. */
  unmatched = 0;
  /** The output shows single packets. */
  readonly showsPackets: boolean;
  /** What the kernel had counted in the captured network namespaces. */
  readonly states = new NetworkStates();
  /** Secrets of TLS connections: those that were given, and those in the capture. */
  readonly keys: KeyLog;
  readonly #output: AnalysisOutput;
  readonly where: Condition | undefined;
  /** What is applied to events, flows and packets before the output gets them. */
  readonly #filter: Condition | undefined;
  readonly #showSecrets: boolean;
  #detail: boolean;
  readonly #firstLegs: boolean;
  #recorder: Recorder | undefined;

  constructor(kind: AnalysisOutputKind, settings: SessionSettings) {
    this.where = settings.where;
    this.showsPackets = kind.packets && kind.traced !== true;
    this.#filter = kind.ownFilter === true ? undefined : settings.where;
    this.#showSecrets = settings.showSecrets;
    this.#detail = kind.detail || settings.where !== undefined;
    this.#firstLegs = kind.firstLegs === true && settings.where === undefined;
    this.keys = settings.keys ?? new KeyLog();
    const options = {
      detail: this.#detail,
      labels: kind.labels,
      late: kind.late,
      firstLegs: this.#firstLegs,
      firstLegsOnly: this.#firstLegs && kind.firstLegsOnly === true,
      showSecrets: settings.showSecrets,
      bodies: settings.bodies === true || kind.bodies === true,
      keys: this.keys,
    };
    const sink: AnalysisSink & { alike: AlikeExchanges | undefined } = {
      // The output is made later.
      alike: undefined,
      event: (event: AnalysisEvent, flow: FlowInfo) => this.#event(event, flow),
      // With --where each exchange is looked at.
      ...(kind.counts === true && settings.where === undefined
        ? {
            repeated: (repeated: RepeatedExchanges, flow: FlowInfo) => this.#repeated(repeated, flow),
            lastOfFlow: (exchange: Exchange, flow: FlowInfo) => this.#output.lastOfFlow?.(exchange, flow),
            flowsEnded: (count: number, flow: FlowInfo) => this.#output.flowsEnded?.(count, flow),
            connectionsEnded: (connections: RepeatedConnections, flow: FlowInfo) =>
              this.#output.connectionsEnded?.(connections, flow),
          }
        : {}),
      flowEnded: (flow: FlowInfo) => this.#flowEnded(flow),
      flowBegan: (packet: PacketView) => this.#sawLocal(packet),
      leftAt: (packet: PacketView) => this.#sawLocal(packet),
      local: (host: number, interfaceId: number) =>
        this.names.sawLocal(host, interfaceId, this.capture.analysis.clock.now),
      legJoined: (flow: FlowInfo) => this.#output.legJoined?.(flow),
      traced: (packet: TracedPacket) => this.#output.traced?.(packet),
    };
    const observer: PacketObserver = {
      interface: (id, described) => {
        this.interfaces[id] = described;
        this.names.addInterface(id, described.name, described.description);
      },
      names: (records, cluster) => {
        const of = cluster === undefined ? {} : { cluster };
        this.addNames(
          records.map(({ address, names }) => ({ address: addressText(address, 0, address.length), names, ...of })),
        );
      },
      state: (state) => this.states.add(state),
      secrets: (lines) => this.keys.add(lines),
      ...(kind.packets ? { packet: (packet, taken) => this.#packet(packet, taken) } : {}),
    };
    this.capture = new CaptureAnalysis(sink, options, observer, settings.choice);
    this.names = new Names(this.capture.analysis.hosts);
    this.#output = kind.create({ ...settings, session: this });
    if (!this.#detail && this.#filter === undefined) sink.alike = this.#output.alike;
  }

  /** Time of the first and the last packet, ns since the first that came; undefined before any. */
  get span(): { readonly first: number; readonly last: number } | undefined {
    const { packets, clock } = this.capture.analysis;
    return packets === 0 ? undefined : { first: clock.earliest, last: clock.latest };
  }

  /** Agents could not keep up, and what was counted is of a sample; undefined where all was analysed. */
  get sample(): SampleRecord | undefined {
    return sampleRecord(this.capture.found.sample, (time) => this.recorder.timeText(time));
  }

  /** Makes records of the analysis' events; exists once the first packet has arrived. */
  get recorder(): Recorder {
    this.#recorder ??= new Recorder(
      {
        hosts: this.capture.analysis.hosts,
        names: this.names,
        interfaceName: (id) => this.interfaces[id]?.name,
        packetInfo: (packet) => this.packetInfo(packet),
      },
      this.capture.analysis.clock.absolute(0),
    );
    return this.#recorder;
  }

  /** From now on the output gets everything of single events, as with `detail`. */
  wantDetail(): void {
    this.#detail = true;
    this.capture.analysis.wantDetail();
  }

  /** An event that came without `detail` as it may be shown. */
  shown<Event extends AnalysisEvent>(event: Event): Event {
    return this.#showSecrets ? event : maskEvent(event);
  }

  /** Resolves when the output can take more, after the end when all has left it; undefined: at once. */
  get waiting(): Promise<void> | undefined {
    return this.#output.waiting?.();
  }

  /** What the output left out, and what it found, after the end: lines for people. */
  get outputNotes(): readonly string[] {
    return this.#output.notes?.() ?? [];
  }

  /** What the output found wrong, after the end. */
  get found(): readonly Found[] {
    return this.#output.found?.() ?? [];
  }

  /** What a packet alone shows above TCP or UDP, for people: `HTTP GET /cart HTTP/1.1`. Not sanitised. */
  packetInfo(packet: PacketView): string | undefined {
    return packetInfo(packet, this.#showSecrets);
  }

  /** What addresses are called from now on; before the first packet: from the beginning. */
  addNames(records: readonly NamedAddress[]): void {
    const since = this.span === undefined ? Number.NEGATIVE_INFINITY : this.capture.analysis.clock.now;
    const { clusters } = this.capture.analysis.hosts;
    for (const { address, names, cluster } of records) {
      const number = cluster === undefined ? 0 : clusters.number(cluster);
      if (number <= CLUSTERS_MAXIMUM) this.names.addRecord(address, names, since, number);
    }
    this.#output.named?.(records);
  }

  /** @throws KsnoopError where the bytes are no capture file's */
  push(chunk: Uint8Array): void {
    this.capture.push(chunk);
  }

  end(): void {
    this.capture.end();
    this.where?.leftOut?.(this.capture.foundTotals.filtered);
    this.#output.end?.();
  }

  #event(found: AnalysisEvent, flow: FlowInfo): void {
    // Names of a response hold from then on; the response itself has the names known before.
    // A response without a query may be forged, or be an announcement that any host can make: no address is named by it.
    if (found.protocol === 'dns' && found.kind === 'exchange' && found.incomplete !== 'request not seen') {
      const cluster = this.names.clusterOfInterface(flow.interfaceId);
      for (const { address, name } of observedAddresses(found)) {
        this.names.addObserved(address, name, found.time, cluster);
      }
    }
    const hasDetail = this.#detail && !(this.#firstLegs && found.kind === 'exchange' && flow.sameAs !== undefined);
    // Only what the output shows counts as matched.
    if (this.#filter !== undefined && this.#output.event === undefined) return;
    const event = this.#showSecrets ? found : hasDetail ? maskEvent(found) : maskCounted(found);
    if (this.#filter !== undefined && !this.#filter.matches(this.recorder.event(event, flow))) return;
    if (isUnmatched(event) && flow.sameAs === undefined) this.unmatched += 1;
    this.#output.event?.(event, flow);
  }

  #repeated(repeated: RepeatedExchanges, flow: FlowInfo): void {
    const { exchange } = repeated;
    const shown = this.#showSecrets ? exchange : maskCounted(exchange);
    this.#output.repeated?.(shown === exchange ? repeated : { ...repeated, exchange: shown }, flow);
  }

  #flowEnded(flow: FlowInfo): void {
    if (this.#output.flowEnded === undefined) return;
    if (this.#filter !== undefined && !this.#filter.matches(this.recorder.flow(flow.facts()))) return;
    this.#output.flowEnded(flow);
  }

  /** Whose address it is shows where a packet leaves or enters its pod. */
  #sawLocal(packet: PacketView): void {
    const { passes } = packet;
    if (passes === DIRECTION.unknown) return;
    const { hosts, clock } = this.capture.analysis;
    const at = passes === DIRECTION.outbound ? packet.sourceAddress : packet.destinationAddress;
    this.names.sawLocal(hosts.number(packet.bytes, at, packet.addressLength), packet.interfaceId, clock.now);
  }

  #packet(packet: PacketView, taken: Disposition): void {
    if (this.#filter !== undefined && !this.#filter.matches(this.recorder.packet(packet, packet.interfaceId))) return;
    this.#output.packet?.(packet, taken);
  }
}

/** A response that may answer one of several requests: those are listed, and counted, as well. */
function isUnmatched(event: AnalysisEvent): boolean {
  return (
    event.kind === 'exchange' &&
    event.incomplete === 'unknown' &&
    event.requestBytes === 0 &&
    event.label === REQUEST_UNKNOWN
  );
}
