import { TimedQueue } from '../flow/timed-queue.ts';
import type { SynOffer, TracedPacket, TunnelLeg } from '../flow/traced-packet.ts';
import { IP_PROTOCOL } from '../layers/ip-protocol.ts';
import { COPY_NS, LEG_HANDSHAKE_WINDOW_NS, PLACES_PER_FLOW, TRACE_OPENINGS } from '../limits.ts';
import { RecentMap } from '../recent-map.ts';
import { TCP } from '../tcp/flags.ts';

/** TSvals of one opening that are remembered: each retransmitted SYN has another one. */
const TIMESTAMPS = 8;

/** One TCP handshake as it passed one place of capture. Times: ns since the first packet. */
export interface OpeningPlace {
  readonly place: number;
  readonly interfaceId: number;
  readonly flow: number;
  /** As they are at this place, before or behind NAT. */
  readonly clientHost: number;
  readonly clientPort: number;
  readonly serverHost: number;
  readonly serverPort: number;
  readonly hopLimit: number;
  /** The tunnel that the SYN was in; undefined without one. */
  readonly tunnel: TunnelLeg | undefined;
  syns: number;
  readonly firstSyn: number;
  lastSyn: number;
  /** What answered first, when, and how often a SYN-ACK came. */
  answer: 'SYN-ACK' | 'RST' | undefined;
  answerTime: number;
  synAcks: number;
}

/** A TCP connection whose handshake is not seen to be complete, at all places. */
export interface Opening {
  readonly places: OpeningPlace[];
  /** The legs before and behind NAT have the same initial sequence number alone: no TSval proves that they are one. */
  isLikely: boolean;
  /** The ICMP error that rejected it. */
  rejection: string | undefined;
}

class Handshake implements Opening {
  readonly places: OpeningPlace[] = [];
  isLikely = false;
  rejection: string | undefined;
  readonly initial: number;
  readonly scale: number;
  readonly timestamps: number[] = [];
  isOver = false;
  last: number;

  constructor(initial: number, scale: number, now: number) {
    this.initial = initial;
    this.scale = scale;
    this.last = now;
  }
}

/**
 * TCP connections that do not come up: where their SYNs and the answers were seen. NAT keeps the initial sequence number and
 * the options, so legs are joined by it, TSval and window scale (RFC 9293, section 3.4; RFC 7323, section 3). Bounded:
 * TRACE_OPENINGS.
 */
export class Openings {
  /** Openings that were forgotten because of the bound before their outcome was known. */
  forgotten = 0;
  readonly #byFlow = new RecentMap<number, Handshake>();
  readonly #byInitial = new Map<number, Handshake>();
  readonly #waiting: TimedQueue<Handshake>;

  /** @param patience how long an answer is waited for, ns of packet time */
  constructor(patience: number) {
    this.#waiting = new TimedQueue(patience);
  }

  /** Any packet of a flow: handshakes alone are looked at. */
  packet(packet: TracedPacket): void {
    const { tcpFlags } = packet;
    if ((tcpFlags & (TCP.syn | TCP.rst)) === 0 || packet.flow < 0 || packet.ipProtocol !== IP_PROTOCOL.tcp) return;
    if ((tcpFlags & (TCP.syn | TCP.ack)) === TCP.syn) this.#syn(packet);
    else if ((tcpFlags & TCP.ack) !== 0) this.#answer(packet);
  }

  /** An ICMP error rejected a flow's SYN. */
  rejected(flow: number, text: string): void {
    const opening = this.#byFlow.get(flow);
    if (opening !== undefined) opening.rejection ??= text;
  }

  /** The next one that has had time enough; undefined while none has. Its connection may have come up. @param now ns */
  due(now: number): Opening | undefined {
    for (let next = this.#waiting.due(now); next !== undefined; next = this.#waiting.due(now)) {
      if (!next.isOver) {
        next.isOver = true;
        return next;
      }
    }
    return undefined;
  }

  /** A flow has ended. */
  forget(flow: number): void {
    const opening = this.#byFlow.get(flow);
    if (opening !== undefined) this.#remove(opening);
  }

  #syn(packet: TracedPacket): void {
    const { flow, time: now, place, sequence: initial, offer } = packet;
    const { scale, timestamp } = offer;
    let opening = this.#byFlow.get(flow);
    if (opening?.initial !== initial) {
      opening = this.#otherLeg(initial, offer, now);
      if (opening === undefined) {
        opening = new Handshake(initial, scale, now);
        this.#byInitial.set(initial, opening);
        this.#waiting.add(opening, now);
      }
      this.#byFlow.set(flow, opening);
      this.#bound();
    }
    if (timestamp !== undefined && !opening.timestamps.includes(timestamp)) {
      if (opening.timestamps.length >= TIMESTAMPS) opening.timestamps.shift();
      opening.timestamps.push(timestamp);
    }
    opening.last = now;
    const known = opening.places.find((at) => at.place === place && at.flow === flow);
    if (known !== undefined) {
      if (now - known.lastSyn <= COPY_NS) return;
      known.syns += 1;
      known.lastSyn = now;
      return;
    }
    if (opening.places.length > PLACES_PER_FLOW) return;
    opening.places.push({
      place,
      interfaceId: packet.interfaceId,
      flow,
      clientHost: packet.sourceHost,
      clientPort: packet.sourcePort,
      serverHost: packet.destinationHost,
      serverPort: packet.destinationPort,
      hopLimit: packet.hopLimit,
      tunnel: packet.tunnel,
      syns: 1,
      firstSyn: now,
      lastSyn: now,
      answer: undefined,
      answerTime: Number.NaN,
      synAcks: 0,
    });
  }

  /** The opening that a SYN of another flow is of, behind NAT or before it. */
  #otherLeg(initial: number, { scale, timestamp }: SynOffer, now: number): Handshake | undefined {
    const other = this.#byInitial.get(initial);
    if (other === undefined || other.isOver || other.scale !== scale) return undefined;
    if (Math.abs(now - other.last) > LEG_HANDSHAKE_WINDOW_NS) return undefined;
    if ((timestamp !== undefined) !== other.timestamps.length > 0) return undefined;
    if (timestamp !== undefined) return other.timestamps.includes(timestamp) ? other : undefined;
    other.isLikely = true;
    return other;
  }

  #answer(packet: TracedPacket): void {
    const { flow, time: now, place } = packet;
    const opening = this.#byFlow.get(flow);
    if (opening === undefined || ((packet.acknowledgment - 1) | 0) !== opening.initial) return;
    const at = opening.places.find((known) => known.place === place && known.flow === flow);
    // What the client sends is no answer: it may give up with a reset. Of a redirected connection the server's port differs.
    if (at === undefined || at.clientPort !== packet.destinationPort) return;
    const isReset = (packet.tcpFlags & TCP.rst) !== 0;
    if (at.answer === undefined) {
      at.answer = isReset ? 'RST' : 'SYN-ACK';
      at.answerTime = now;
      at.synAcks = isReset ? 0 : 1;
    } else if (!isReset && now - at.answerTime > COPY_NS) at.synAcks += 1;
    if (!isReset && opening.places.every(({ answer }) => answer === 'SYN-ACK')) this.#remove(opening);
  }

  #remove(opening: Handshake): void {
    opening.isOver = true;
    for (const { flow } of opening.places) if (this.#byFlow.get(flow) === opening) this.#byFlow.delete(flow);
    if (this.#byInitial.get(opening.initial) === opening) this.#byInitial.delete(opening.initial);
  }

  #bound(): void {
    while (this.#byFlow.size > TRACE_OPENINGS) {
      const opening = this.#byFlow.takeOldest()?.[1];
      if (opening === undefined) return;
      if (!opening.isOver) this.forgotten += 1;
      this.#remove(opening);
    }
  }
}
