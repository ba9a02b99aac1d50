import type { TcpStream } from './stream.ts';

/** Entries at the queue's front that may be used up before it is copied. */
const COMPACT = 1024;

/** Connections that something is due for after a fixed time: first come, first due, so a look at the first one is enough. */
export class Deadlines {
  readonly #wait: number;
  #streams: (TcpStream | undefined)[] = [];
  /** The flow's number: a stream may stand for another connection by then. */
  #flows: number[] = [];
  #times: number[] = [];
  #head = 0;

  /** @param wait ns of packet time */
  constructor(wait: number) {
    this.#wait = wait;
  }

  /** @param now time of the packet at hand, ns */
  add(stream: TcpStream, now: number): void {
    this.#streams.push(stream);
    this.#flows.push(stream.flow);
    this.#times.push(now);
  }

  /** The next connection whose time has come; undefined while none's has. Packets whose times go back far count as late. */
  due(now: number): TcpStream | undefined {
    while (this.#head < this.#times.length) {
      const age = now - (this.#times[this.#head] as number);
      if (age >= 0 ? age <= this.#wait : age >= -this.#wait) return undefined;
      const stream = this.#streams[this.#head];
      const flow = this.#flows[this.#head];
      this.#streams[this.#head] = undefined;
      this.#head += 1;
      if (this.#head >= COMPACT) this.#compact();
      if (stream !== undefined && stream.flow === flow && !stream.ended) return stream;
    }
    return undefined;
  }

  #compact(): void {
    this.#streams = this.#streams.slice(this.#head);
    this.#flows = this.#flows.slice(this.#head);
    this.#times = this.#times.slice(this.#head);
    this.#head = 0;
  }
}
