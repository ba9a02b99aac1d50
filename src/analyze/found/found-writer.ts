import type { FoundAt } from '../../wire/found-columns/writer.ts';
import type { Clock } from '../engine/clock.ts';
import type { Places } from '../engine/places.ts';
import type { AnalysisSink, FlowIdentity, FlowInfo, OtherLeg } from '../flow/flow-facts.ts';
import type { RepeatedConnections } from '../flow/repeated-connections.ts';
import { opensOrAnswers, type TracedPacket } from '../flow/traced-packet.ts';
import type { Hosts } from '../identity/hosts.ts';
import { IP_PROTOCOL } from '../layers/ip-protocol.ts';
import { DIRECTION } from '../layers/layer.ts';
import type { PacketView } from '../packet/packet.ts';
import type { AnalysisEvent, Exchange } from '../record/event.ts';
import { wholeFields } from '../record/late-fields.ts';
import type { RepeatedExchanges } from '../record/repeated-exchanges.ts';
import { BEGAN, type Began } from './began.ts';
import { type ConnectionsFacts, connectionsParts } from './connections-shape.ts';
import { factsShape, identityShape, legShape } from './facts-shape.ts';
import { repeatedParts } from './repeated-shape.ts';
import type { Translation } from './shape.ts';
import type { FoundTotals } from './totals.ts';
import { TracedWriter } from './traced-writer.ts';

/** What the analysis that finds knows. */
export interface FoundSource {
  readonly clock: Clock;
  readonly hosts: Hosts;
  readonly places: Pick<Places, 'isPod'>;
}

/** What the analysis has counted; the writer counts what it cannot write. */
export type Counted = Omit<FoundTotals, 'tooLong'>;

/** Takes what was found, in order. @returns whether it has room in a block */
type Emit = (at: FoundAt, found: readonly unknown[]) => boolean;

/**
 * Writes what an analysis finds, so that FoundReader hands the same to the sink of another one. Times in the text count from the
 * time of the block, addresses are text, flows and interfaces have the numbers of this analysis.
 */
export class FoundWriter implements AnalysisSink {
  /** What had no room in a block. */
  #tooLong = 0;
  readonly #emit: Emit;
  #source: FoundSource | undefined;
  #began = 0;
  /** Of open flows: what was written of each with its last event, which is not repeated. */
  readonly #sent = new Map<number, Sent>();
  /** The interface that all comes as. */
  #carrier = -1;
  /** What the flow that begins now has shown. */
  #early: readonly number[] | undefined;
  readonly #traced = new TracedWriter({
    write: (kind, interfaceId, found, time) => void this.#emitAt(time, kind, interfaceId, found),
    hostText: (host) => this.#hostText(host),
  });

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  /** The analysis whose sink this is; before its first packet. */
  attach(source: FoundSource): void {
    this.#source = source;
  }

  /**
   * An interface brings its first packet.
   * @param time ns since 1970 @param isAlone no other agent is part of the capture: flows have their numbers here as well
   */
  interfaceBegan(interfaceId: number, time: bigint, isAlone = false): void {
    if (this.#carrier < 0) this.#carrier = interfaceId;
    this.#emit({ interfaceId: this.#carrier, time }, isAlone ? ['i', interfaceId, 1] : ['i', interfaceId]);
  }

  /** Time of the packet at hand, ns since the first one. */
  get now(): number {
    return this.#source?.clock.now ?? 0;
  }

  /**
   * What was counted, at the latest time.
   * @param since when the earliest of what is still to be written began, ns since the first packet; undefined where nothing is
   */
  totals(totals: Counted, since: number | undefined): void {
    this.flush();
    const { clock } = this.#source ?? {};
    if (clock === undefined) return;
    // At the latest time: how long the capture has taken.
    const place = { interfaceId: this.#carrier, time: clock.absolute(clock.latest) };
    const heldNs = since === undefined ? 0 : Math.max(0, clock.latest - since);
    if (this.#carrier >= 0) this.#emit(place, ['t', this.#carrier, { ...totals, tooLong: this.#tooLong, heldNs }]);
  }

  /** From now on one connection of 2 to the power of `level` is analysed. */
  sampling(level: number): void {
    this.#write('s', this.#carrier, [level]);
  }

  /** After its events: what a trace takes of a packet. @param device as TracedWriter.packet */
  traced(packet: TracedPacket, device = 0): void {
    this.#traced.packet(packet, device);
  }

  /** Write what waits for more of its kind. */
  flush(): void {
    this.#traced.flush();
  }

  legJoined(flow: FlowInfo): void {
    this.#write('j', flow.interfaceId, [flow.id, this.#identity(flow), this.#leg(flow.sameAs)]);
  }

  flowBegan(packet: PacketView): void {
    this.began(this.beganOf(packet));
  }

  /** The next flow, which begins with a packet; `began` writes it, then or later. */
  beganOf(packet: PacketView): Began {
    const { ipProtocol, passes, interfaceId, sourcePort, destinationPort } = packet;
    const [source, destination] = [
      this.hostOf(packet, packet.sourceAddress),
      this.hostOf(packet, packet.destinationAddress),
    ];
    const began = {
      id: this.#began,
      ipProtocol,
      interfaceId,
      source,
      sourcePort: Math.max(0, sourcePort),
      destination,
      destinationPort: Math.max(0, destinationPort),
      passes: passes === DIRECTION.unknown ? 0 : passes === DIRECTION.outbound ? 1 : 2,
      known:
        (packet.isForOthers && this.#source?.places.isPod(interfaceId) === true ? BEGAN.overheard : 0) |
        (ipProtocol === IP_PROTOCOL.tcp && opensOrAnswers(packet.tcpFlags) ? BEGAN.opening : 0),
      shown: this.#early,
    };
    this.#began += 1;
    this.#early = undefined;
    return began;
  }

  /** Write that a flow began. */
  began({ id, interfaceId, shown, ...began }: Began): void {
    const { ipProtocol, source, sourcePort, destination, destinationPort, passes, known } = began;
    const ends = [this.#hostText(source), sourcePort, this.#hostText(destination), destinationPort];
    this.#write('b', interfaceId, [id, ipProtocol, ...ends, passes, known]);
    if (shown !== undefined) this.#write('k', interfaceId, shown);
  }

  leftAt(packet: PacketView): void {
    if (packet.passes === DIRECTION.unknown) return;
    const at = packet.passes === DIRECTION.outbound ? packet.sourceAddress : packet.destinationAddress;
    this.#write('l', packet.interfaceId, [this.#hostText(this.hostOf(packet, at))]);
  }

  legShown(flow: number, interfaceId: number, first: number, second: number, isSegment = false): void {
    // A datagram shows it before its flow is said to have begun.
    if (isSegment) this.#write('m', interfaceId, [flow, first, second]);
    else if (flow >= this.#began) this.#early = [flow, first, second];
    else this.#write('k', interfaceId, [flow, first, second]);
  }

  notOpened(flow: FlowIdentity, initial: number, leaves: boolean): void {
    this.#ofFlow('o', flow, [initial, leaves ? 1 : 0]);
  }

  event(event: AnalysisEvent, flow: FlowIdentity): void {
    const fields = wholeFields(event.fields);
    this.#ofFlow('e', flow, [moved({ ...event, fields }, this.#now())]);
  }

  /** Exchanges of a flow that were added up. @param flow as its last event showed it */
  repeated(repeated: RepeatedExchanges, flow: FlowIdentity): void {
    const now = this.#now();
    this.#ofFlow('a', flow, [moved(repeated.exchange, now), repeatedParts(repeated, now)]);
  }

  /**
   * Exchanges of many flows that were added up. @param flow of one of them, of which an event was written; only where no other agent is
   * part of the capture
   */
  lookups(lookups: RepeatedExchanges, flow: FlowIdentity): void {
    const now = this.#now();
    this.#write('d', flow.interfaceId, [
      flow.id,
      this.#identity(flow),
      moved(lookups.exchange, now),
      repeatedParts(lookups, now),
    ]);
  }

  /** The last exchange of a flow of those that were added up, or will be. */
  lastOfFlow(exchange: Exchange, flow: FlowIdentity): void {
    this.#write('w', flow.interfaceId, [flow.id, this.#identity(flow), moved(exchange, this.#now())]);
  }

  /** So many flows of datagrams have ended of which nothing else was written, or nothing but exchanges that were added up. */
  flowsGone(count: number, flow: FlowIdentity): void {
    this.#write('u', flow.interfaceId, [this.#identity(flow), count]);
  }

  /** Write what is of a flow, with whose flow it is where that was not written before. */
  #ofFlow(kind: string, flow: FlowIdentity, found: readonly unknown[]): void {
    const { id, interfaceId } = flow;
    const sent = this.#sent.get(id);
    if (sent !== undefined && isSameFlow(sent, flow)) {
      this.#write(kind, interfaceId, [id, null, null, ...found]);
      return;
    }
    const isWritten = this.#write(kind, interfaceId, [id, this.#identity(flow), this.#leg(flow.sameAs), ...found]);
    if (isWritten) this.#sent.set(id, kept(flow));
  }

  /** Whose a flow is: as an event would have shown it that is not written. */
  identity(flow: FlowInfo): void {
    const sent = this.#sent.get(flow.id);
    if (sent !== undefined && isSameFlow(sent, flow)) return;
    this.#write('n', flow.interfaceId, [flow.id, this.#identity(flow), this.#leg(flow.sameAs)]);
    this.#sent.set(flow.id, kept(flow));
  }

  /** Connections that were added up, behind their exchanges. @param flow stands for them; nothing more comes of it */
  connections(connections: RepeatedConnections, flow: FlowIdentity, facts: Omit<ConnectionsFacts, 'tcp'>): void {
    const now = this.#now();
    this.#ofFlow('c', flow, [moved(connections.opened.exchange, now), connectionsParts(connections, facts, now)]);
    this.#sent.delete(flow.id);
  }

  /**
   * A flow has ended of which nothing counts but that it was there.
   * @returns false where the client does not know whose it is: then nothing was written
   */
  flowGone(flow: FlowIdentity): boolean {
    const sent = this.#sent.get(flow.id);
    if (sent === undefined || !isSameFlow(sent, flow)) return false;
    this.#sent.delete(flow.id);
    return this.#write('g', flow.interfaceId, [flow.id]);
  }

  flowEnded(flow: FlowInfo): void {
    this.#sent.delete(flow.id);
    const facts = factsShape(flow.facts(), this.#translation());
    this.#write('f', flow.interfaceId, [flow.id, facts, this.#leg(flow.sameAs)]);
    this.#traced.forget(flow.id);
  }

  #identity({ continued, transport, clientHost, serverHost, clientPort, serverPort, redirect }: FlowIdentity): unknown {
    const own = { transport, clientHost, serverHost, clientPort, serverPort, redirect };
    return identityShape(continued === true ? { continued, ...own } : own, this.#translation());
  }

  #leg(leg: OtherLeg | undefined): unknown {
    return leg === undefined ? null : legShape(leg, this.#translation());
  }

  #translation(): Translation {
    return {
      shift: -this.#now(),
      host: (value) => this.#hostText(value),
      interfaceId: (id) => id,
    };
  }

  /** Null for no address, and for the one number of all addresses beyond the bound. */
  #hostText(host: unknown): string | null {
    if (typeof host !== 'number' || host < 0 || this.#source === undefined) return null;
    return host >= this.#source.hosts.count ? null : this.#source.hosts.text(host);
  }

  /** The number of an address in a packet; -1 for none. */
  hostOf(packet: PacketView, at: number): number {
    if (this.#source === undefined || at < 0) return -1;
    return this.#source.hosts.number(packet.bytes, at, packet.addressLength);
  }

  #now(): number {
    return this.#source?.clock.now ?? 0;
  }

  /** @returns whether it had room in a block */
  #write(kind: string, interfaceId: number, found: readonly unknown[]): boolean {
    this.flush();
    return this.#emitAt(this.#now(), kind, interfaceId, found);
  }

  #emitAt(time: number, kind: string, interfaceId: number, found: readonly unknown[]): boolean {
    const { clock } = this.#source ?? {};
    if (clock === undefined) return false;
    const at = { interfaceId: this.#carrier, time: clock.absolute(time) };
    if (this.#emit(at, [kind, interfaceId, ...found])) return true;
    this.#tooLong += 1;
    return false;
  }
}

/** What events say of their flow. */
type Sent = Omit<FlowIdentity, 'id' | 'interfaceId' | 'transport'>;

function kept({ continued, clientHost, serverHost, clientPort, serverPort, sameAs, redirect }: FlowIdentity): Sent {
  return { continued, clientHost, serverHost, clientPort, serverPort, sameAs, redirect };
}

/** Whether events of a flow would show the same of it. */
export function isSameFlow(sent: Sent, flow: FlowIdentity): boolean {
  return (
    sent.continued === flow.continued &&
    sent.clientHost === flow.clientHost &&
    sent.serverHost === flow.serverHost &&
    sent.clientPort === flow.clientPort &&
    sent.serverPort === flow.serverPort &&
    sent.sameAs?.id === flow.sameAs?.id &&
    sent.sameAs?.serverHost === flow.sameAs?.serverHost &&
    sent.sameAs?.unopened === flow.sameAs?.unopened &&
    sent.redirect?.host === flow.redirect?.host &&
    sent.redirect?.port === flow.redirect?.port
  );
}

/** The event with times that count from now. */
function moved(event: AnalysisEvent, now: number): AnalysisEvent {
  if (event.kind !== 'exchange') return { ...event, time: event.time - now };
  return {
    ...event,
    time: event.time - now,
    requestEnd: event.requestEnd - now,
    responseTime: since(event.responseTime, now),
    responseEnd: since(event.responseEnd, now),
  };
}

function since(time: number | undefined, now: number): number | undefined {
  return time === undefined ? undefined : time - now;
}
