import { Deadlines } from '../flow/deadlines.ts';
import { HOLE_NS, REORDER_NS } from '../limits.ts';
import type { TcpStream } from './stream.ts';

/** What is to be done when a connection's time has come. */
export interface WhenDue {
  /** Something waits for bytes that the other side has acknowledged. */
  readonly onSoon: (stream: TcpStream, now: number) => void;
  /** Something waits for bytes that were never acknowledged. */
  readonly onLate: (stream: TcpStream, now: number) => void;
  /** What a reset overtook has had time to come. */
  readonly onReset: (stream: TcpStream) => void;
}

/** When connections that wait for bytes are looked at again. */
export class OrderDeadlines {
  readonly #soon = new Deadlines<TcpStream>(REORDER_NS);
  readonly #late = new Deadlines<TcpStream>(HOLE_NS);
  readonly #resets = new Deadlines<TcpStream>(REORDER_NS);
  readonly #whenDue: WhenDue;
  /** Between these times, ns, nothing is due: asked for every packet. */
  #quietFrom = Number.NEGATIVE_INFINITY;
  #quietUntil = Number.POSITIVE_INFINITY;

  constructor(whenDue: WhenDue) {
    this.#whenDue = whenDue;
  }

  /** @param now time of the packet at hand, ns */
  soon(stream: TcpStream, now: number): void {
    this.#add(this.#soon, stream, now);
  }

  /** @param now as in `soon` */
  late(stream: TcpStream, now: number): void {
    this.#add(this.#late, stream, now);
  }

  /** @param now as in `soon` */
  reset(stream: TcpStream, now: number): void {
    this.#add(this.#resets, stream, now);
  }

  /** Do what is due. Called for every packet: cheap when nothing is. @param now as in `soon` */
  passed(now: number): void {
    if (now > this.#quietUntil || now < this.#quietFrom) this.#passed(now);
  }

  #passed(now: number): void {
    const { onSoon, onLate, onReset } = this.#whenDue;
    for (let due = this.#soon.due(now); due !== undefined; due = this.#soon.due(now)) onSoon(due, now);
    for (let due = this.#late.due(now); due !== undefined; due = this.#late.due(now)) onLate(due, now);
    for (let due = this.#resets.due(now); due !== undefined; due = this.#resets.due(now)) onReset(due);
    this.#quietFrom = Number.NEGATIVE_INFINITY;
    this.#quietUntil = Number.POSITIVE_INFINITY;
    for (const deadlines of [this.#soon, this.#late, this.#resets]) {
      if (!deadlines.isEmpty) this.#quietAround(deadlines.since, deadlines.wait);
    }
  }

  #add(deadlines: Deadlines<TcpStream>, stream: TcpStream, now: number): void {
    deadlines.add(stream, now);
    this.#quietAround(now, deadlines.wait);
  }

  /** Something is due so long after a time, or before it: packets whose times go back far count as late. */
  #quietAround(time: number, wait: number): void {
    if (time - wait > this.#quietFrom) this.#quietFrom = time - wait;
    if (time + wait < this.#quietUntil) this.#quietUntil = time + wait;
  }
}
