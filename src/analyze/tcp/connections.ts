import type { AnalysisOptions } from '../engine/analysis-options.ts';
import type { Clock } from '../engine/clock.ts';
import type { Places } from '../engine/places.ts';
import type { AnalysisSink, FlowInfo } from '../flow/flow-facts.ts';
import { FLOW_F64, FLOW_I32, TCP_I32, TCP_STRIDE } from '../flow/flow-layout.ts';
import { FlowTable } from '../flow/flow-table.ts';
import { FlowView } from '../flow/flow-view.ts';
import type { FlowFollower } from '../flow/follower.ts';
import { type HostNumbers, Redirects } from '../flow/redirects.ts';
import type { FlowSightings, SeenElsewhere } from '../flow/sightings.ts';
import { LEG_SEGMENT_WINDOW_NS, SEQUENCE_JUMP_MAXIMUM, TCP_FLOWS_MAXIMUM } from '../limits.ts';
import type { PacketView } from '../packet/packet.ts';
import { Bodies } from '../protocols/http1/message-body.ts';
import type { KeyLog } from '../protocols/tls/decrypt/key-log.ts';
import type { AnalysisEvent, Notice } from '../record/event.ts';
import { withProvenTimes } from '../record/proven-times.ts';
import { isAnswer } from './answer.ts';
import { seenAnswer, takeAnswer } from './answer-elsewhere.ts';
import { connectionFacts, connectionWaits } from './connection-facts.ts';
import { Copies } from './copies.ts';
import { Endings } from './endings.ts';
import { EVICTED, EvictedConnections } from './evicted.ts';
import { SEEN, STATE, TCP } from './flags.ts';
import { Handshakes } from './handshakes.ts';
import { followHealth } from './health.ts';
import { mayBeKeepAlive } from './keep-alive.ts';
import { isBeforeReset } from './pending-end.ts';
import { takePlainSegment } from './plain-segment.ts';
import { Reassembly } from './reassembly.ts';
import type { TcpStream } from './stream.ts';
import type { StreamHost } from './stream-host.ts';
import { StreamNumbers } from './stream-numbers.ts';
import { Streams } from './streams.ts';
import { type NotOpened, TcpLegs } from './tcp-legs.ts';
import { Troubles } from './troubles.ts';
import { unansweredNotice } from './unanswered.ts';

const SYN_ACK = TCP.syn | TCP.ack;

/** What connections are counted by: of the analysis as a whole. */
export interface TcpSources {
  readonly clock: Clock;
  readonly hosts: HostNumbers;
  readonly places: Places;
}

/** Every TCP connection of an analysis: its state, its health, its bytes in order. */
export class TcpConnections implements StreamHost {
  readonly table: FlowTable;
  readonly clock: Clock;
  detail: boolean;
  readonly labels: boolean;
  readonly late: boolean;
  readonly firstLegs: boolean;
  readonly firstLegsOnly: boolean;
  readonly showSecrets: boolean;
  readonly numbers = new StreamNumbers();
  readonly reassembly: Reassembly;
  readonly bodies: Bodies | undefined;
  readonly topicNames = new Map<string, string>();
  readonly keys: KeyLog | undefined;
  pendingBytes = 0;
  follower: FlowFollower | undefined;
  readonly #sink: AnalysisSink;
  readonly #troubles = new Troubles();
  readonly #evicted = new EvictedConnections();
  /** Evictions of connections that had been evicted before. */
  #evictedAgain = 0;
  /** Exchanges were given up with the connection that is being evicted. */
  #givesUp = false;
  readonly #view: FlowView;
  /** Of the packet at hand. */
  readonly #carrier = { acknowledgment: 0, hasAcknowledgment: false, clock: 0, isLate: false, isCrossing: false };
  /** By slot, what was seen at places besides the one that counts. */
  readonly sightings: (FlowSightings | undefined)[] = [];
  readonly #places: Places;
  readonly #legs: TcpLegs;
  readonly #copies: Copies;
  readonly handshakes: Handshakes;
  readonly #streams: Streams;
  readonly #endings: Endings;
  readonly redirects: Redirects;
  #over = false;
  #retransmissionsTaken = 0;
  /** The packet last taken carries bytes whose protocol is not recognised yet. */
  undecided = false;
  /**
   * A place of capture began a short while ago: connections that it sees from the middle on may have been opened before at
   * another place, so data segments of all connections are compared (TcpLegs.segment).
   */
  comparesLegs = false;
  /** Until when, ns. */
  #comparesUntil = 0;
  /** Of `plainPacket`: nothing recognised what the connection carries, and nothing will. */
  opaque = false;

  constructor({ clock, hosts, places }: TcpSources, sink: AnalysisSink, options: AnalysisOptions) {
    const { detail, labels = false, showSecrets, firstLegs = false, firstLegsOnly = false, bodies } = options;
    this.clock = clock;
    this.#places = places;
    this.#sink = sink;
    this.detail = detail;
    this.labels = labels;
    this.late = options.late === true && bodies !== true;
    this.firstLegs = firstLegs;
    this.firstLegsOnly = firstLegsOnly;
    this.showSecrets = showSecrets;
    this.keys = options.keys;
    this.bodies = bodies === true ? new Bodies(showSecrets) : undefined;
    this.table = new FlowTable(TCP_STRIDE, TCP_FLOWS_MAXIMUM, (slot) => this.#ended(slot));
    const notOpened = sink.notOpened?.bind(sink);
    const onNotOpened: NotOpened | undefined =
      notOpened && ((slot, initial, leaves) => notOpened(this.#view.at(slot), initial, leaves));
    this.#legs = new TcpLegs(this.table, clock, sink.legShown?.bind(sink), onNotOpened);
    this.handshakes = new Handshakes(this.table, clock, this.#legs, (slot) => this.#joined(slot));
    this.#copies = new Copies(this.table, clock);
    this.redirects = new Redirects(this.table, hosts, (slot, sender, packet) =>
      isAnswer(this.table, slot, sender, packet),
    );
    this.reassembly = new Reassembly(
      this.table,
      this.#troubles,
      clock,
      (stream) => this.#endings.finish(stream.slot),
      (stream) => this.#endings.endPending(stream.slot),
    );
    const { table, handshakes, reassembly } = this;
    const legs = this.#legs;
    const streams = new Streams(table, reassembly, this);
    const onNotice = (slot: number, notice: Notice) => sink.event(notice, this.#view.at(slot));
    this.#streams = streams;
    this.#endings = new Endings({ table, clock, legs, handshakes, reassembly, streams, onNotice });
    this.#view = new FlowView(this.table, {
      protocol: (slot) => streams.protocolOf(slot),
      sightings: (slot, client) => this.sightings[slot]?.facts(client),
      sameAs: (slot) => this.#legs.of(slot),
      redirect: (slot) => this.redirects.of(slot),
      tcp: (slot) => connectionFacts(this.table, slot, this.#troubles),
      waits: (slot) => connectionWaits(this.table, slot, this.#troubles),
      isContinued: (slot) =>
        ((this.table.ints[this.table.base(slot) + TCP_I32.flags] as number) & SEEN.continued) !== 0,
    });
  }

  /** One more place of capture begins. */
  placeAdded(): void {
    this.comparesLegs = true;
    this.#comparesUntil = this.clock.now + LEG_SEGMENT_WINDOW_NS;
  }

  #compare(slot: number, packet: PacketView): void {
    if (this.comparesLegs && this.clock.now > this.#comparesUntil) this.comparesLegs = false;
    const isMidstream = ((this.table.ints[this.table.base(slot) + TCP_I32.flags] as number) & SEEN.midstream) !== 0;
    if (isMidstream || this.comparesLegs) this.#joined(this.#legs.segment(slot, packet, isMidstream));
  }

  /** @param slot of a connection that is found to be the other leg of another one; -1 for none */
  #joined(slot: number): void {
    if (slot >= 0) this.#sink.legJoined?.(this.#view.at(slot));
  }

  /** Connections that had to go before their end because there were too many at once. */
  get evicted(): number {
    return this.table.evicted - this.#evictedAgain;
  }

  /** A flow's first packet. */
  opened(slot: number, direction: number, packet: PacketView): void {
    const { ints } = this.table;
    const base = this.table.base(slot);
    const { tcpFlags } = packet;
    if (tcpFlags & TCP.syn) {
      ints[base + FLOW_I32.client] = tcpFlags & TCP.ack ? 1 - direction : direction;
      ints[base + TCP_I32.state] = STATE.opening;
    } else {
      // The lower port is the server's; among equals who spoke first is the client.
      const ownPort = packet.sourcePort;
      const otherPort = packet.destinationPort;
      ints[base + FLOW_I32.client] = ownPort < otherPort ? 1 - direction : direction;
      ints[base + TCP_I32.state] = STATE.open;
      ints[base + TCP_I32.flags] = SEEN.midstream;
    }
    // A SYN is a new connection's, whatever had its ports before.
    const evicted = this.#evicted.take(ints[base + FLOW_I32.hash] as number);
    if (evicted !== EVICTED.no && (tcpFlags & (TCP.syn | TCP.ack)) !== TCP.syn) {
      ints[base + TCP_I32.flags] = SEEN.midstream | SEEN.continued | (evicted === EVICTED.pending ? SEEN.givenUp : 0);
    }
    ints[base + TCP_I32.initial + direction] = packet.tcpSequence;
    if (tcpFlags & TCP.ack) {
      const acknowledged = packet.tcpAcknowledgment;
      ints[base + TCP_I32.initial + 1 - direction] = tcpFlags & TCP.syn ? (acknowledged - 1) | 0 : acknowledged;
    }
  }

  /**
   * A packet at a place that does not count for its direction: its bytes may fill holes of the one that does.
   * @param seen the place in `sightings`; undefined where there are too many
   */
  packetElsewhere(
    slot: number,
    direction: number,
    packet: PacketView,
    place: number,
    seen: SeenElsewhere | undefined,
  ): void {
    const length = packet.payloadLength;
    // A bridge floods a first SYN to all of its ports: the place that has it first may see nothing more of the connection.
    if ((packet.tcpFlags & SYN_ACK) === SYN_ACK) {
      this.#joined(this.#legs.handshake(slot, packet));
      if (seen !== undefined) seen.answer ??= seenAnswer(packet, this.clock.now);
    }
    if (length === 0 || (packet.tcpFlags & TCP.rst) !== 0 || mayBeKeepAlive(packet)) return;
    if ((this.table.ints[this.table.base(slot) + TCP_I32.flags] as number) & SEEN.streamEnded) return;
    const stream = this.#streams.at(slot) ?? this.#streams.begin(slot);
    const { cursor, end, bytes, tcpFlags, tcpSequence } = packet;
    if (tcpFlags & TCP.ack) stream.acknowledges(direction, packet.tcpAcknowledgment);
    this.reassembly.spare(stream, direction, {
      sequence: tcpFlags & TCP.syn ? (tcpSequence + 1) | 0 : tcpSequence,
      length,
      captured: Math.max(0, end - cursor),
      bytes: bytes.subarray(cursor, Math.max(cursor, end)),
      time: this.clock.now,
      acknowledgment: packet.tcpAcknowledgment,
      hasAcknowledgment: (tcpFlags & TCP.ack) !== 0,
      clock: this.#places.clockOf(place),
      isLate: false,
      isCrossing: false,
    });
  }

  /** Whether a packet brings bytes, or a SYN or FIN, that the place which counts for its direction has not brought. */
  bringsNew(slot: number, direction: number, packet: PacketView): boolean {
    const { ints } = this.table;
    const own = this.table.base(slot) + direction;
    if (((ints[own + TCP_I32.flags] as number) & SEEN.high) === 0) return true;
    const end = packet.tcpSequence + packet.payloadLength + (packet.tcpFlags & (TCP.syn | TCP.fin) ? 1 : 0);
    return ((end - (ints[own + TCP_I32.high] as number)) | 0) > 0;
  }

  /**
   * Another place counts for both directions from now on (engine/one-way.ts), whose packets until now did not.
   * @param direction of the packets that the place before has brought
   */
  moved(slot: number, direction: 0 | 1, to: SeenElsewhere): void {
    takeAnswer(this.table, this.table.base(slot), direction, to);
    for (const each of [direction, 1 - direction]) this.handOver(slot, each);
  }

  /**
   * Another place counts for the other side's direction from now on (engine/one-way.ts), by the same clock.
   * @param direction of the packets that have counted until now
   */
  answerTaken(slot: number, direction: 0 | 1, from: SeenElsewhere): void {
    takeAnswer(this.table, this.table.base(slot), direction, from, true);
  }

  /** Another place counts for a direction from now on. */
  handOver(slot: number, direction: number): void {
    const stream = this.#streams.at(slot);
    if (stream === undefined || stream.ended) return;
    this.reassembly.handOver(stream, direction);
  }

  /** Whether a packet was captured before at the same place. */
  isCopy(slot: number, direction: number, packet: PacketView): boolean {
    return this.#copies.isCopy(slot, direction, packet, this.#streams.at(slot));
  }

  /** A packet that counts. @returns whether what the connection carries was recognised, or may yet be */
  packet(slot: number, direction: number, packet: PacketView): boolean {
    const { tcpFlags } = packet;
    const { ints } = this.table;
    const base = this.table.base(slot);
    let stream = this.#streams.at(slot);
    const isLate = this.#isLate(base + direction, packet);
    followHealth(this.table, slot, direction, packet, this.clock.now, this.#troubles);
    if (tcpFlags & TCP.syn) this.handshakes.syn(slot, direction, packet);
    else if (ints[base + TCP_I32.state] === STATE.opening) this.handshakes.opening(slot, direction, packet);
    const length = packet.payloadLength;
    const flags = ints[base + TCP_I32.flags] as number;
    const isOver = (flags & SEEN.streamEnded) !== 0;
    if (length > 0 && (tcpFlags & TCP.rst) === 0 && !isOver && !mayBeKeepAlive(packet)) {
      stream ??= this.#streams.begin(slot);
      if ((flags & SEEN.midstream) !== 0 || this.comparesLegs) this.#compare(slot, packet);
      // Bytes in a SYN (RFC 7413) come behind it.
      const sequence = tcpFlags & TCP.syn ? (packet.tcpSequence + 1) | 0 : packet.tcpSequence;
      const { pendingEnd } = stream;
      if (!stream.ended && (pendingEnd === undefined || isBeforeReset(pendingEnd, direction, sequence + length))) {
        const { cursor, end } = packet;
        this.#carrier.acknowledgment = packet.tcpAcknowledgment;
        this.#carrier.hasAcknowledgment = (tcpFlags & TCP.ack) !== 0;
        this.#carrier.clock = this.#places.clockOf(ints[base + FLOW_I32.vantage + direction] as number);
        this.#carrier.isLate = isLate;
        this.#carrier.isCrossing = !isLate && this.#isCrossing(base, direction, packet);
        // What was acknowledged first shows where a direction begins, as long as that is not known.
        if (
          this.#carrier.hasAcknowledgment &&
          ((ints[base + TCP_I32.flags + 1 - direction] as number) & SEEN.next) === 0
        ) {
          stream.acknowledges(direction, packet.tcpAcknowledgment);
        }
        this.reassembly.segment(
          stream,
          direction,
          sequence,
          length,
          packet.bytes,
          cursor,
          Math.max(cursor, end),
          this.#carrier,
        );
      }
    } else if (stream !== undefined && !stream.ended && (tcpFlags & TCP.ack) !== 0) {
      this.reassembly.acknowledged(stream, direction, packet.tcpAcknowledgment);
    }
    if (tcpFlags & (TCP.fin | TCP.rst)) this.#endings.segment(slot, direction, packet);
    else if (ints[base + TCP_I32.state] === STATE.closed) this.#endings.finish(slot);
    this.undecided = stream !== undefined && length > 0 && !isOver && stream.undecided;
    if (stream === undefined) return !isOver || ints[base + FLOW_I32.protocol] !== 0;
    return !stream.opaque;
  }

  /**
   * A packet that counts, if it is as nearly all are; it has not been counted yet.
   * @returns whether it was such a one; then `undecided` and `opaque` say what became of it
   */
  plainPacket(slot: number, direction: number, packet: PacketView, place: number): boolean {
    const stream = this.#streams.at(slot);
    if (stream === undefined) return false;
    const { table, clock } = this;
    if (!takePlainSegment(table, slot, direction, packet, clock.now, stream, this.#places.clockOf(place))) return false;
    this.undecided = packet.wireEnd > packet.cursor && stream.undecided;
    this.opaque = stream.opaque;
    return true;
  }

  /** Whether a packet comes after one that lies behind it: it was sent again, or overtaken. Asked before `followHealth`. */
  #isLate(own: number, packet: PacketView): boolean {
    const { ints } = this.table;
    if (((ints[own + TCP_I32.flags] as number) & SEEN.high) === 0) return false;
    return ((packet.tcpSequence - (ints[own + TCP_I32.high] as number)) | 0) < 0;
  }

  /** Whether the other side had sent more than a packet acknowledges, none of it in answer to that packet. */
  #isCrossing(base: number, direction: number, packet: PacketView): boolean {
    const { ints } = this.table;
    const other = base + 1 - direction;
    const known = SEEN.high | SEEN.ack;
    if (((ints[other + TCP_I32.flags] as number) & known) !== known || (packet.tcpFlags & TCP.ack) === 0) return false;
    if ((((ints[other + TCP_I32.high] as number) - packet.tcpAcknowledgment) | 0) <= 0) return false;
    if ((((ints[other + TCP_I32.ack] as number) - packet.tcpSequence) | 0) > 0) return false;
    // Two places' packets come in no certain order.
    return ints[base + FLOW_I32.vantage] === ints[base + FLOW_I32.vantage + 1];
  }

  /** Connections that have not ended; each view is valid during its call. */
  eachOpen(visit: (flow: FlowInfo) => void): void {
    for (const slot of this.table.slots()) visit(this.#view.at(slot));
  }

  /** The analysis is over: every connection ends. */
  end(): void {
    this.#over = true;
    this.table.clear();
  }

  isOtherLeg({ slot }: TcpStream): boolean {
    return this.#legs.of(slot) !== undefined;
  }

  isHalfLeg({ slot }: TcpStream, direction: number): boolean {
    if (this.#legs.of(slot) === undefined) return false;
    return this.table.doubles[(this.table.base(slot) >> 1) + FLOW_F64.payload + direction] === 0;
  }

  event(stream: TcpStream, event: AnalysisEvent): void {
    if (event.kind === 'exchange') {
      const flags = this.table.base(stream.slot) + TCP_I32.flags;
      if (this.table.evicting) this.#givesUp = true;
      else if ((this.table.ints[flags] as number) & SEEN.givenUp) {
        this.table.ints[flags] = (this.table.ints[flags] as number) & ~SEEN.givenUp;
        // Its exchange was counted when the connection was evicted.
        if (event.incomplete === 'request not seen') return;
      }
    }
    this.#sink.event(withProvenTimes(event, this.clock.now), this.#view.at(stream.slot));
  }

  /** Retransmissions since the last call; those of a connection's other leg count where it was seen first. */
  takeRetransmissions(): number {
    const { retransmissions, retransmitting } = this.#troubles;
    const count = retransmissions - this.#retransmissionsTaken;
    if (count === 0) return 0;
    this.#retransmissionsTaken = retransmissions;
    return this.#legs.of(retransmitting) === undefined ? count : 0;
  }

  get followed(): number {
    return this.follower?.flow ?? -1;
  }

  follow(stream: TcpStream, direction: number, bytes: Uint8Array | undefined, start: number, end: number): void {
    const view = this.#view.at(stream.slot);
    const isClient = direction === stream.client;
    if (bytes === undefined) this.follower?.gap(view, isClient, this.clock.now, end - start);
    else this.follower?.bytes(view, isClient, this.clock.now, bytes, start, end);
  }

  swapEndpoints(stream: TcpStream): void {
    this.table.ints[this.table.base(stream.slot) + FLOW_I32.client] = stream.client;
  }

  nextSequence(stream: TcpStream, direction: number): number | undefined {
    const { ints } = this.table;
    const own = this.table.base(stream.slot) + direction;
    if (((ints[own + TCP_I32.flags] as number) & SEEN.next) !== 0) return ints[own + TCP_I32.next];
    const first = stream.acknowledgedFirst(direction);
    return Number.isNaN(first) ? undefined : first;
  }

  beginsAt(stream: TcpStream, direction: number, sequence: number): void {
    const { ints } = this.table;
    const own = this.table.base(stream.slot) + direction;
    if (((ints[own + TCP_I32.flags] as number) & (SEEN.next | SEEN.syn)) !== SEEN.next) return;
    const ahead = ((ints[own + TCP_I32.next] as number) - sequence) | 0;
    if (ahead > 0 && ahead <= SEQUENCE_JUMP_MAXIMUM) ints[own + TCP_I32.next] = sequence;
  }

  finSeen(stream: TcpStream, direction: number): boolean {
    const { ints } = this.table;
    const own = this.table.base(stream.slot) + direction;
    if (((ints[own + TCP_I32.flags] as number) & SEEN.fin) === 0) return false;
    // Data before the FIN may still arrive or was not captured: then the FIN does not show how much was sent.
    return (((ints[own + TCP_I32.fin] as number) - 1 - (ints[own + TCP_I32.next] as number)) | 0) <= 0;
  }

  /**
   * An ICMP error quotes a connection. What keeps it from being set up refuses it, which is stated once.
   * @param isRejection the error is a refusal, as firewalls and hosts without a listener send it
   */
  icmp(slot: number, notice: Notice, isRejection: boolean): void {
    const { ints } = this.table;
    const state = this.table.base(slot) + TCP_I32.state;
    const isSetUp = ints[state] !== STATE.opening && ints[state] !== STATE.refused;
    if (isSetUp || !isRejection) {
      this.#sink.event(notice, this.#view.at(slot));
      return;
    }
    if (ints[state] === STATE.refused) return;
    ints[state] = STATE.refused;
    const label = `connection rejected by ICMP ${notice.label.replace(/^unreachable (.*?),? from /, '$1 unreachable from ')}`;
    this.#sink.event({ ...notice, protocol: 'tcp', code: 'TCP_REFUSED', label }, this.#view.at(slot));
  }

  #ended(slot: number): void {
    this.#endings.endPending(slot);
    const unanswered = unansweredNotice(this.table, slot, this.#over);
    if (unanswered !== undefined) this.#sink.event(unanswered, this.#view.at(slot));
    this.#streams.end(slot, this.#over ? 'capture ended' : this.table.evicting ? 'evicted' : 'expired');
    this.#sink.flowEnded(this.#view.at(slot));
    this.#troubles.forget(slot);
    this.#legs.forget(slot);
    this.redirects.forget(slot);
    const sightings = this.sightings[slot];
    if (sightings !== undefined) {
      sightings.ended = true;
      this.sightings[slot] = undefined;
    }
    if (!this.table.evicting) return;
    const { ints } = this.table;
    const base = this.table.base(slot);
    if ((ints[base + TCP_I32.flags] as number) & SEEN.continued) this.#evictedAgain += 1;
    const isGivenUp = this.#givesUp || ((ints[base + TCP_I32.flags] as number) & SEEN.givenUp) !== 0;
    this.#evicted.remember(ints[base + FLOW_I32.hash] as number, isGivenUp);
    this.#givesUp = false;
  }
}
