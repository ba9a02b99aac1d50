import { joinedBytes } from '../../wire/bytes.ts';
import type { Clock } from '../engine/clock.ts';
import { PROBE_BYTES } from '../limits.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd, StreamProtocol } from '../protocols/protocol.ts';
import { Recognition } from '../protocols/recognise.ts';
import { type AnalysisEvent, SIDE, type Side } from '../record/event.ts';
import type { OutOfOrder } from './out-of-order.ts';

/** Segments of a connection whose beginning says nothing that are looked at all the same. */
const LOOKS_MAXIMUM = 32;

/** What a stream needs of the analysis it belongs to. */
export interface StreamHost {
  readonly clock: Clock;
  readonly detail: boolean;
  readonly showSecrets: boolean;
  event(stream: TcpStream, event: AnalysisEvent): void;
  /** The protocol's words show who is the client; the connection's beginning was not seen. */
  swapEndpoints(stream: TcpStream): void;
}

interface Portion {
  readonly side: Side;
  readonly bytes: Uint8Array;
  readonly time: number;
}

const recognition = new Recognition();
const NOTHING: Portion[] = [];

/** By direction, what waits behind a hole. */
type Waiting = [OutOfOrder | undefined, OutOfOrder | undefined];

/** Of streams without a hole so far, which are most: shared, and never written to. */
const NOTHING_WAITS: Readonly<Waiting> = [undefined, undefined];

/** The octets of one connection, in order: recognises whose words they are and hands them to that protocol. */
export class TcpStream implements StreamContext {
  /** Where its flow lies in the table; the table's owner keeps it right. */
  slot = -1;
  /** Its flow's number, as FlowInfo.id. */
  flow = -1;
  serverPort = 0;
  clientPort = 0;
  protocol: StreamProtocol | undefined;
  ended = false;
  /** Which direction, 0 or 1, is the client's. */
  client = 0;
  readonly #host: StreamHost;
  /** Its beginning was not seen: who is the client is a guess. */
  #guessed = false;
  #analyzer: StreamAnalyzer | undefined;
  #head: Portion[] = NOTHING;
  #headOctets = 0;
  #looks = 0;
  #waiting: Readonly<Waiting> = NOTHING_WAITS;

  constructor(host: StreamHost) {
    this.#host = host;
  }

  /** Stand for another connection: streams are many and short, and used again. */
  begin(slot: number, flow: number, client: number, guessed: boolean, clientPort: number, serverPort: number): void {
    this.slot = slot;
    this.flow = flow;
    this.client = client;
    this.clientPort = clientPort;
    this.serverPort = serverPort;
    this.protocol = undefined;
    this.ended = false;
    this.#waiting = NOTHING_WAITS;
    this.#guessed = guessed;
    this.#analyzer = undefined;
    this.#head = NOTHING;
    this.#headOctets = 0;
    this.#looks = 0;
  }

  /** By direction, what waits behind a hole. */
  get waiting(): Readonly<Waiting> {
    return this.#waiting;
  }

  wait(direction: number, segments: OutOfOrder | undefined): void {
    this.#waiting = direction === 0 ? [segments, this.#waiting[1]] : [this.#waiting[0], segments];
  }

  get now(): number {
    return this.#host.clock.now;
  }

  get detail(): boolean {
    return this.#host.detail;
  }

  get showSecrets(): boolean {
    return this.#host.showSecrets;
  }

  emit(event: AnalysisEvent): void {
    this.#host.event(this, event);
  }

  become(protocol: StreamProtocol | undefined): StreamAnalyzer {
    if (protocol === undefined) {
      this.#analyzer = undefined;
      this.#looks = 0;
      return this.#redetect();
    }
    this.protocol = protocol;
    this.#analyzer = protocol.create(this);
    return this.#analyzer;
  }

  /** Takes the rest of what is at hand for an analyzer that knows no more of it. */
  #redetect(): StreamAnalyzer {
    const direction = (side: Side) => (side === SIDE.client ? this.client : 1 - this.client);
    return {
      data: (side, bytes, start, end) => this.data(direction(side), bytes, start, end),
      gap: (side, length) => this.gap(direction(side), length),
      end: () => undefined,
    };
  }

  /** The next octets of a direction, in order. */
  data(direction: number, bytes: Uint8Array, start: number, end: number): void {
    const analyzer = this.#analyzer;
    if (analyzer !== undefined) {
      analyzer.data(direction === this.client ? SIDE.client : SIDE.server, bytes, start, end);
      return;
    }
    if (this.#looks < LOOKS_MAXIMUM && !this.ended) this.#look(direction, bytes, start, end);
  }

  gap(direction: number, length: number): void {
    if (this.#analyzer !== undefined) {
      this.#analyzer.gap(direction === this.client ? SIDE.client : SIDE.server, length);
      return;
    }
    this.#forgetHead();
  }

  end(how: StreamEnd): void {
    if (this.ended) return;
    this.ended = true;
    this.#analyzer?.end(how);
    this.#analyzer = undefined;
    this.#forgetHead();
  }

  /** Nothing recognised it, and nothing will. */
  get opaque(): boolean {
    return this.protocol === undefined && this.#looks > 0 && this.#headOctets === 0;
  }

  #look(direction: number, bytes: Uint8Array, start: number, end: number): void {
    const side = direction === this.client ? SIDE.client : SIDE.server;
    const known = this.#headOctets === 0 ? NOTHING : this.#head.filter((portion) => portion.side === side);
    if (known.length === 0) recognition.look(bytes, start, end, this.serverPort, this.clientPort);
    else {
      const joined = joinedBytes([...known.map((portion) => portion.bytes), bytes.subarray(start, end)]);
      recognition.look(joined, 0, joined.length, this.serverPort, this.clientPort);
    }
    const { protocol, fromServer, undecided } = recognition;
    if (protocol !== undefined) {
      this.#attachProtocol(protocol, direction, fromServer, bytes, start, end);
      return;
    }
    this.#looks += 1;
    if (!undecided || this.#headOctets + (end - start) > PROBE_BYTES) {
      this.#forgetHead();
      return;
    }
    if (this.#head === NOTHING) this.#head = [];
    this.#head.push({ side, bytes: Uint8Array.from(bytes.subarray(start, end)), time: this.now });
    this.#headOctets += end - start;
  }

  #attachProtocol(
    protocol: StreamProtocol,
    direction: number,
    fromServer: boolean | undefined,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const client = fromServer === undefined ? this.client : fromServer ? 1 - direction : direction;
    if (client !== this.client) {
      // Who opened the connection is known: then these words only look like it.
      if (!this.#guessed) {
        this.#looks += 1;
        return;
      }
      this.client = client;
      this.#host.swapEndpoints(this);
      this.#head = this.#head.map((portion) => ({
        ...portion,
        side: portion.side === SIDE.client ? SIDE.server : SIDE.client,
      }));
    }
    this.protocol = protocol;
    this.#analyzer = protocol.create(this);
    const { clock } = this.#host;
    const { now } = clock;
    const head = this.#head;
    this.#forgetHead();
    for (const portion of head) {
      clock.now = portion.time;
      this.#analyzer?.data(portion.side, portion.bytes, 0, portion.bytes.length);
    }
    clock.now = now;
    this.data(direction, bytes, start, end);
  }

  #forgetHead(): void {
    if (this.#headOctets === 0) return;
    this.#head = NOTHING;
    this.#headOctets = 0;
  }
}
