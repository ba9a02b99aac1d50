import type { ConnectionWaits, DirectionWaits, IdleFailure, StuckSegment } from '../flow/flow-facts.ts';

/** A connection that is silent for so long is idle; the shortest limits of load balancers and NAT are longer. */
export const IDLE_NS = 60e9;

/** Linux's least retransmission time-out (TCP_RTO_MIN); RFC 6298 has 1 s. */
const STALL_NS = 200e6;

/** A segment that was sent again so often after a silence got no answer. */
const UNANSWERED_REPEATS = 2;

/** One direction of a connection. */
class DirectionWait {
  stalls = 0;
  stalled = 0;
  longestFrom = 0;
  longestTo = 0;
  nagle = 0;
  /** When this side closed its receive window, NaN while it is open; when it last said so; how long it was closed altogether, and at most. ns */
  closedSince = Number.NaN;
  closedUntil = 0;
  closed = 0;
  longestClosed = 0;
  /** The segment that was sent again last: int32, bytes, how often in a row, first and last time. */
  sequence = 0;
  bytes = 0;
  repeats = 0;
  first = 0;
  last = 0;
  /** The receiver was heard after everything had been sent, and before the segment was sent again. */
  heardBehind = false;
}

class ConnectionWait {
  readonly directions = [new DirectionWait(), new DirectionWait()] as const;
  survived = 0;
  /** A silence that one side has ended, and whose outcome is not known: its length, end, and who ended it. */
  idle = 0;
  idleEnd = 0;
  speaker = 0;
  isReset = false;
}

/** What the connection's state adds to what was kept. By direction of the data. */
export interface WaitState {
  /** Last acknowledgement number of the receiver, int32, and when the receiver was last heard, ns. */
  acknowledged(direction: number): number;
  heard(direction: number): number;
  /** How often the receiver repeated its last acknowledgement: it got something behind what is missing. */
  duplicates(direction: number): number;
  /** Initial sequence number, int32. */
  initial(direction: number): number;
  /** Whether this direction sent a RST. */
  wasReset(direction: number): boolean;
}

/** Long waits, by slot of the flow table. Most connections have none: theirs are made when the first comes. */
export class Waits {
  readonly #waits: (ConnectionWait | undefined)[] = [];

  /** A segment is sent again because of a time-out. @param sequence int32 @param heard, sent when its receiver was last heard, and when new bytes were last sent, ns */
  sentAgain(
    slot: number,
    direction: number,
    sequence: number,
    length: number,
    now: number,
    heard: number,
    sent: number,
  ): void {
    const own = this.#of(slot, direction);
    const since = Math.max(heard, sent);
    const isSame = own.repeats > 0 && own.sequence === sequence && own.bytes === length;
    const from = own.repeats > 0 ? Math.max(since, own.last) : since;
    if (now - from >= STALL_NS) {
      own.stalls += 1;
      own.stalled += now - from;
      if (now - from > own.longestTo - own.longestFrom) {
        own.longestFrom = from;
        own.longestTo = now;
      }
    }
    if (!isSame) {
      own.sequence = sequence;
      own.bytes = length;
      own.repeats = 0;
      own.first = now;
      own.heardBehind = heard > sent;
    }
    own.repeats += 1;
    own.last = now;
  }

  /** A small segment was sent as soon as a delayed ACK came. */
  nagle(slot: number, direction: number): void {
    this.#of(slot, direction).nagle += 1;
  }

  /** One side announced a window of 0, perhaps again. */
  windowClosed(slot: number, side: number, now: number): void {
    const own = this.#of(slot, side);
    if (Number.isNaN(own.closedSince)) {
      own.closedSince = now;
      own.closedUntil = now;
    } else own.closedUntil = Math.max(own.closedUntil, now);
  }

  /** It announced a larger one after that, or reset the connection. */
  windowOpened(slot: number, side: number, now: number): void {
    const own = this.#waits[slot]?.directions[side === 0 ? 0 : 1];
    if (own === undefined || Number.isNaN(own.closedSince)) return;
    // Times of a capture may go back.
    const closed = Math.max(0, now - own.closedSince);
    own.closed += closed;
    own.longestClosed = Math.max(own.longestClosed, closed);
    own.closedSince = Number.NaN;
  }

  /**
   * The first packet of a direction after it was silent for IDLE_NS.
   * @param quiet how long both directions were silent, ns @param isReset it is a RST
   */
  idle(slot: number, direction: number, now: number, quiet: number, isReset: boolean): void {
    const known = this.#waits[slot];
    if (known !== undefined && known.idle > 0 && known.speaker !== direction) {
      if (isReset) known.isReset = true;
      else {
        known.survived = Math.max(known.survived, known.idle);
        known.idle = 0;
      }
      return;
    }
    // Whoever ends an idle connection by a RST loses nothing.
    if (quiet < IDLE_NS || isReset) return;
    this.#of(slot, direction);
    const wait = this.#waits[slot] as ConnectionWait;
    wait.idle = quiet;
    wait.idleEnd = now;
    wait.speaker = direction;
  }

  has(slot: number): boolean {
    return this.#waits[slot] !== undefined;
  }

  forget(slot: number): void {
    if (this.#waits[slot] !== undefined) this.#waits[slot] = undefined;
  }

  /** @param client the client's direction, 0 or 1 */
  facts(slot: number, client: number, state: WaitState): Omit<ConnectionWaits, 'portReused' | 'synAckAgain'> {
    const wait = this.#waits[slot];
    if (wait === undefined) return {};
    return {
      client: directionFacts(wait, client, state),
      server: directionFacts(wait, 1 - client, state),
      idleSurvived: wait.survived > 0 ? wait.survived : undefined,
      idleFailed: idleFailure(wait, client, state),
    };
  }

  #of(slot: number, direction: number): DirectionWait {
    let wait = this.#waits[slot];
    if (wait === undefined) {
      wait = new ConnectionWait();
      this.#waits[slot] = wait;
    }
    return wait.directions[direction === 0 ? 0 : 1];
  }
}

function directionFacts(wait: ConnectionWait, direction: number, state: WaitState): DirectionWaits | undefined {
  const own = wait.directions[direction === 0 ? 0 : 1];
  const { stalls, stalled, longestFrom, longestTo, nagle, repeats } = own;
  const still = Number.isNaN(own.closedSince) ? 0 : own.closedUntil - own.closedSince;
  const windowClosed = own.closed + still;
  if (repeats === 0 && nagle === 0 && windowClosed === 0) return undefined;
  return {
    stalls,
    stalled,
    longestStall: stalls === 0 ? undefined : [longestFrom, longestTo],
    nagle,
    windowClosed,
    longestWindowClosed: Math.max(own.longestClosed, still),
    stuck: stuckSegment(wait, direction, state),
  };
}

function stuckSegment(wait: ConnectionWait, direction: number, state: WaitState): StuckSegment | undefined {
  const { sequence, bytes, repeats, first, last, heardBehind } = wait.directions[direction === 0 ? 0 : 1];
  if (repeats === 0 || ((state.acknowledged(direction) - sequence) | 0) > 0) return undefined;
  const acknowledged = (sequence - state.initial(direction) - 1) | 0;
  return {
    bytes,
    repeats,
    first,
    last,
    othersArrive: state.heard(direction) > first || (heardBehind && state.duplicates(direction) > 0),
    acknowledged: acknowledged < 0 ? undefined : acknowledged,
  };
}

function idleFailure(wait: ConnectionWait, client: number, state: WaitState): IdleFailure | undefined {
  const { idle, idleEnd, speaker, isReset } = wait;
  if (idle === 0) return undefined;
  const by = speaker === client ? 'client' : 'server';
  if (isReset || state.wasReset(1 - speaker)) return { idle, end: idleEnd, by, how: 'reset' };
  const { repeats, first } = wait.directions[speaker === 0 ? 0 : 1];
  if (repeats < UNANSWERED_REPEATS || first < idleEnd) return undefined;
  return { idle, end: idleEnd, by, how: 'no answer' };
}
