import { HELD_DATAGRAMS, PLACES_PER_FLOW, SPARE_BYTES } from '../limits.ts';
import type { DirectionSighting, Sighting } from './flow-facts.ts';

/** One direction of a flow at one place. */
class SeenDirection {
  packets = 0;
  bytes = 0;
  payload = 0;
  first = Number.NaN;
  last = Number.NaN;
  retransmissions = 0;
  lost = 0;
  /** TCP: int32 behind the highest byte seen; undefined before any. */
  high: number | undefined;
  /** Packets, bytes and payload since other places alone bring what is new; and since which time that was so. */
  newPackets = 0;
  newBytes = 0;
  newPayload = 0;
  newEpoch = 0;

  add(bytes: number, now: number): void {
    // Times can go back: of packets out of order, of a clock that was set.
    if (this.packets === 0 || now < this.first) this.first = now;
    if (this.packets === 0 || now > this.last) this.last = now;
    this.packets += 1;
    this.bytes += bytes;
  }

  /** A TCP segment. @param sequence int32 */
  segment(sequence: number, length: number): void {
    if (length === 0) return;
    this.payload += length;
    const end = (sequence + length) | 0;
    const ahead = this.high === undefined ? 0 : (sequence - this.high) | 0;
    if (this.high !== undefined && ((end - this.high) | 0) <= 0) {
      // A segment that fills a hole is not a retransmission at this place of capture.
      if (this.lost >= length) this.lost -= length;
      else this.retransmissions += 1;
      return;
    }
    if (ahead > 0) this.lost += ahead;
    this.high = end;
  }

  facts(): DirectionSighting {
    const { packets, bytes, first, last, retransmissions, lost } = this;
    const seen = packets > 0;
    return { packets, bytes, first: seen ? first : undefined, last: seen ? last : undefined, retransmissions, lost };
  }
}

/** A SYN-ACK at a place whose packets do not count. */
export interface SeenAnswer {
  /** ns */
  readonly time: number;
  /** int32 */
  readonly sequence: number;
  readonly acknowledgment: number;
  /** As the header has it: a SYN's is not scaled. */
  readonly window: number;
  /** As SynOptions has them. */
  readonly offers: { readonly scale: number; readonly mss: number; readonly sackPermitted: boolean };
}

/** A flow at a place that is not the one whose packets count. */
export class SeenElsewhere {
  readonly place: number;
  readonly interfaceId: number;
  /** TCP: the first one. */
  answer: SeenAnswer | undefined;
  readonly directions = [new SeenDirection(), new SeenDirection()] as const;

  constructor(place: number, interfaceId: number) {
    this.place = place;
    this.interfaceId = interfaceId;
  }
}

/** A datagram that the place which counts has not brought yet: a copy. */
export interface HeldDatagram {
  readonly direction: number;
  readonly bytes: Uint8Array;
  readonly wireLength: number;
  readonly time: number;
  readonly place: number;
  /** By which its copy is recognised. */
  readonly hash: number;
}

/** What was seen of one flow at places besides its first. Made when there is a second one; bounded. */
export class FlowSightings {
  readonly slot: number;
  readonly flow: number;
  readonly isTcp: boolean;
  /** The flow has ended. */
  ended = false;
  readonly places: SeenElsewhere[] = [];
  /** Datagrams that only other places have brought so far, in the order in which they came. */
  readonly held: HeldDatagram[] = [];
  heldBytes = 0;
  /** By direction: since when another place alone brings what is new, and which; NaN while none does. */
  readonly newSince: [number, number] = [Number.NaN, Number.NaN];
  readonly newPlace: [number, number] = [0, 0];
  /** By direction: packets, bytes and payload that others brought since then; of a TCP segment that several of them brought, one. */
  readonly newPackets: [number, number] = [0, 0];
  readonly newBytes: [number, number] = [0, 0];
  readonly newPayload: [number, number] = [0, 0];
  /** By direction: how often the counts of what is new began again. */
  readonly #epoch: [number, number] = [1, 1];

  /** @param flow its number, as FlowIdentity.id */
  constructor(slot: number, flow: number, isTcp: boolean) {
    this.slot = slot;
    this.flow = flow;
    this.isTcp = isTcp;
  }

  /** A packet at another place. @returns undefined where there are too many places */
  at(place: number, interfaceId: number): SeenElsewhere | undefined {
    for (const known of this.places) if (known.place === place) return known;
    if (this.places.length >= PLACES_PER_FLOW) return undefined;
    const seen = new SeenElsewhere(place, interfaceId);
    this.places.push(seen);
    return seen;
  }

  /**
   * A place whose packets do not count any more is one like the others; `counting`, one of these, counts in its stead.
   * @returns the one that has counted, without anything seen
   */
  swap(counting: SeenElsewhere, place: number, interfaceId: number): SeenElsewhere {
    const before = new SeenElsewhere(place, interfaceId);
    this.places[this.places.indexOf(counting)] = before;
    const old = this.places.findIndex((each) => each.place === place && each !== before);
    if (old >= 0) this.places.splice(old, 1);
    return before;
  }

  /** The place whose packets count has brought one. */
  counted(direction: number): void {
    const own = direction === 0 ? 0 : 1;
    this.newSince[own] = Number.NaN;
    this.#epoch[own] += 1;
    this.newPackets[own] = 0;
    this.newBytes[own] = 0;
    this.newPayload[own] = 0;
  }

  /**
   * A packet of another place, while other places deliver new data. Copies of datagrams are known and do not come here. Copies of
   * segments do: each place is counted by itself, and the one that brought most has brought so many at least.
   * @param at the place; of TCP alone, undefined where there are too many
   */
  countNew(direction: number, bytes: number, payload: number, at?: SeenElsewhere): void {
    const own = direction === 0 ? 0 : 1;
    if (Number.isNaN(this.newSince[own])) return;
    if (!this.isTcp) {
      this.newPackets[own] += 1;
      this.newBytes[own] += bytes;
      this.newPayload[own] += payload;
      return;
    }
    const seen = at?.directions[own];
    if (seen === undefined) return;
    if (seen.newEpoch !== this.#epoch[own]) {
      seen.newEpoch = this.#epoch[own];
      seen.newPackets = 0;
      seen.newBytes = 0;
      seen.newPayload = 0;
    }
    seen.newPackets += 1;
    seen.newBytes += bytes;
    seen.newPayload += payload;
    if (seen.newPackets <= this.newPackets[own]) return;
    this.newPackets[own] = seen.newPackets;
    this.newBytes[own] = seen.newBytes;
    this.newPayload[own] = seen.newPayload;
  }

  /** Keep a datagram. @returns false where there are too many */
  hold(datagram: HeldDatagram): boolean {
    if (this.held.length >= HELD_DATAGRAMS || this.heldBytes + datagram.bytes.length > SPARE_BYTES) return false;
    this.held.push(datagram);
    this.heldBytes += datagram.bytes.length;
    return true;
  }

  /** The place that counts has brought it. */
  unhold(hash: number): void {
    const at = this.held.findIndex((datagram) => datagram.hash === hash);
    if (at >= 0) this.heldBytes -= this.held.splice(at, 1)[0]?.bytes.length ?? 0;
  }

  /** Take out those of that time or before. */
  takeHeld(until: number): HeldDatagram[] {
    let count = 0;
    while (count < this.held.length && (this.held[count] as HeldDatagram).time <= until) count += 1;
    const taken = this.held.splice(0, count);
    for (const { bytes } of taken) this.heldBytes -= bytes.length;
    return taken;
  }

  /** Another place has brought what the one that counts has not. @returns whether it is the first to do so */
  broughtNew(direction: number, place: number, now: number): boolean {
    const own = direction === 0 ? 0 : 1;
    this.newPlace[own] = place;
    if (!Number.isNaN(this.newSince[own])) return false;
    this.newSince[own] = now;
    return true;
  }

  facts(client: number): Sighting[] {
    return this.places.map(({ interfaceId, directions }) => ({
      interfaceId,
      client: (directions[client] as SeenDirection).facts(),
      server: (directions[1 - client] as SeenDirection).facts(),
    }));
  }
}
