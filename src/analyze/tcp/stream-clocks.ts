import { HOLE_NS } from '../limits.ts';
import type { Exchange } from '../record/event.ts';
import { ClockHistory } from './clock-history.ts';
import { STREAM_F64, type StreamNumbers } from './stream-numbers.ts';

/** No clock has this number. */
export const UNSTEADY = -2;

/** Which clocks stamped the bytes of a connection, and which of its times can be compared with one another. */
export class StreamClocks {
  /** Whether the time of the bytes stamped last can be compared with others' of the connection. */
  isComparable = true;
  readonly #numbers: StreamNumbers;
  #base = 0;
  /** The clock of the client's last bytes; -1 where the times of its request cannot be compared with others. */
  #ofClient = -1;
  /** Requests stamped by another clock may be unanswered. */
  #areMixed = false;
  /** Which clock stamped what, once there are several. */
  #history: ClockHistory | undefined;

  constructor(numbers: StreamNumbers) {
    this.#numbers = numbers;
  }

  /** Of another connection. @param base the position of its first number */
  begin(base: number): void {
    this.#base = base;
    this.#ofClient = -1;
    this.#areMixed = false;
    this.#history = undefined;
  }

  /** An exchange without the times that cannot be compared. @param client the client's direction */
  proven(event: Exchange, client: number): Exchange {
    return this.#history?.proven(event, client) ?? event;
  }

  /** Bytes were handed on while the clock was steady, and their times were kept as `handedAt` alone. */
  catchUp(): void {
    for (const each of [0, 1] as const) this.#noteLatest(each, this.#get(STREAM_F64.handedAt + each));
  }

  /**
   * Bytes of a direction are handed on.
   * @param clock that stamped them; -1 where they fill a hole from elsewhere
   * @param now what it showed, ns
   * @param isAnswered of the client's: they acknowledge more of the answers than those before them
   * @returns their time, ns
   */
  stamp(own: 0 | 1, isClient: boolean, clock: number, now: number, isAnswered: boolean): number {
    const before = this.#get(STREAM_F64.handedAt + own);
    const clockBefore = this.#get(STREAM_F64.handedClock + own);
    // Another place counts from now on: a message that lies across the change has no times.
    const isChanged = clock >= 0 && clockBefore >= 0 && clock !== clockBefore;
    if (clock >= 0 && clock !== clockBefore) this.#change(own, clock);
    if (isClient) {
      this.#ofClient = isChanged ? -1 : clock;
      // Requests stamped by the clock before may be unanswered until the client has received more of the answers.
      if (isChanged) this.#areMixed = true;
      else if (isAnswered) this.#areMixed = false;
    }
    // An answer's packet that was captured before its request's was: their times cannot be compared.
    const isCausal = isClient || !(now < this.#get(STREAM_F64.handedAt + 1 - own));
    this.isComparable =
      clock >= 0 && !isChanged && isCausal && (isClient || (!this.#areMixed && clock === this.#ofClient));
    // Bytes that had to wait for a retransmission came when that did; for those of another clock there is no better time.
    let time = now;
    if (clock < 0) time = before > Number.NEGATIVE_INFINITY ? before : now;
    else if (!isChanged && now < before && before - now < HOLE_NS) time = before;
    else this.#set(STREAM_F64.handedAt + own, now);
    if (clock >= 0) {
      if (time < this.#get(STREAM_F64.stampedFrom + own)) this.#set(STREAM_F64.stampedFrom + own, time);
      this.#noteLatest(own, time);
      this.#history?.add(own, clock, time, time);
    }
    return time;
  }

  /** The clock of all bytes of both directions so far; UNSTEADY where there are several, or it is not certain. */
  get steady(): number {
    const a = this.#get(STREAM_F64.handedClock);
    const b = this.#get(STREAM_F64.handedClock + 1);
    return a === b && a >= 0 && a === this.#ofClient && !this.#areMixed && this.#history === undefined ? a : UNSTEADY;
  }

  /** Another clock stamps a direction's bytes from now on, or the first one. */
  #change(own: 0 | 1, clock: number): void {
    const before = this.#get(STREAM_F64.handedClock + own);
    const others = this.#get(STREAM_F64.handedClock + 1 - own);
    if (this.#history === undefined && (before >= 0 || (others >= 0 && others !== clock))) {
      this.#history = new ClockHistory();
      for (const direction of [0, 1] as const) {
        const known = this.#get(STREAM_F64.handedClock + direction);
        if (known < 0) continue;
        const [from, to] = [STREAM_F64.stampedFrom + direction, STREAM_F64.stampedTo + direction];
        this.#history.add(direction, known, this.#get(from), this.#get(to));
      }
    }
    this.#set(STREAM_F64.handedClock + own, clock);
    this.#set(STREAM_F64.stampedFrom + own, Number.POSITIVE_INFINITY);
    this.#set(STREAM_F64.stampedTo + own, Number.NEGATIVE_INFINITY);
  }

  #noteLatest(own: 0 | 1, time: number): void {
    if (time > this.#get(STREAM_F64.stampedTo + own)) this.#set(STREAM_F64.stampedTo + own, time);
  }

  /** @param field of STREAM_F64, the direction added */
  #get(field: number): number {
    return this.#numbers.values[this.#base + field] as number;
  }

  #set(field: number, value: number): void {
    this.#numbers.values[this.#base + field] = value;
  }
}
