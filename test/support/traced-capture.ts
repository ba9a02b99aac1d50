import { pcapngBlocks } from './packet-blocks.ts';

/** An end of a connection: IPv4 address and port. */
export type End = readonly [ip: string, port: number];

/** A place of capture that a connection passes, in the order from the client to the server. */
export interface Passed {
  /** Of the capture's interfaces. */
  readonly interfaceId: number;
  /** How far the place's clock is ahead, ms. */
  readonly ahead?: number;
  readonly ttl?: number;
  /** As the ends are called there, before or behind NAT. */
  readonly client?: End;
  readonly server?: End;
}

interface Frame {
  readonly interfaceId: number;
  readonly at: number;
  readonly bytes: Buffer;
}

/** A capture at several places, made packet by packet. Times: ms. */
export class TracedCapture {
  readonly interfaces: readonly string[];
  readonly #frames: Frame[] = [];

  /** @param interfaces names, such as `shop/web-1/any` */
  constructor(interfaces: readonly string[]) {
    this.interfaces = interfaces;
  }

  connection(
    places: readonly Passed[],
    client: End,
    server: End,
    initial: readonly [number, number],
  ): TracedConnection {
    return new TracedConnection(this.#frames, places, [client, server], initial);
  }

  pcapng(): Buffer {
    // As the merge would: in the order of the places' own clocks.
    return pcapngBlocks(
      this.interfaces,
      [...this.#frames].sort((a, b) => a.at - b.at),
    );
  }
}

/** One TCP connection through several places. */
export class TracedConnection {
  readonly #frames: Frame[];
  readonly #places: readonly Passed[];
  readonly #ends: readonly [End, End];
  readonly #next: [number, number];
  #identification = 1;

  constructor(
    frames: Frame[],
    places: readonly Passed[],
    ends: readonly [End, End],
    initial: readonly [number, number],
  ) {
    this.#frames = frames;
    this.#places = places;
    this.#ends = ends;
    this.#next = [initial[0], initial[1]];
  }

  /** SYN, SYN-ACK, ACK, `hop` ms from each place to the next. */
  handshake(at: number, hop = 0.1): this {
    const last = this.#places.length - 1;
    this.#packet(0, 'S', '', this.#along(0, at, hop), 1);
    this.#packet(1, 'SA', '', this.#along(1, at + hop * (last + 1), hop), 1);
    this.#packet(0, 'A', '', this.#along(0, at + hop * 2 * (last + 1), hop), 0);
    return this;
  }

  /**
   * A segment with data.
   * @param times when it passes each place, ms, by true time; undefined where it was not seen
   * @param again it was sent before
   */
  send(side: 0 | 1, payload: string | Buffer, times: readonly (number | undefined)[], again = false): this {
    const length = Buffer.byteLength(payload);
    if (again) this.#next[side] -= length;
    this.#packet(side, 'PA', payload, times, length);
    return this;
  }

  #along(side: 0 | 1, at: number, hop: number): number[] {
    const last = this.#places.length - 1;
    return this.#places.map((_, index) => at + hop * (side === 0 ? index : last - index));
  }

  #packet(
    side: 0 | 1,
    flags: string,
    payload: string | Buffer,
    times: readonly (number | undefined)[],
    advance: number,
  ): void {
    const other = side === 0 ? 1 : 0;
    const identification = this.#identification;
    this.#identification += 1;
    for (const [index, place] of this.#places.entries()) {
      const time = times[index];
      if (time === undefined) continue;
      const ends = [place.client ?? this.#ends[0], place.server ?? this.#ends[1]] as const;
      const bytes = tcpFrame({
        from: ends[side],
        to: ends[other],
        sequence: this.#next[side],
        acknowledgment: flags === 'S' ? 0 : this.#next[other],
        flags,
        payload: Buffer.from(payload),
        ttl: place.ttl ?? 64,
        identification,
      });
      this.#frames.push({ interfaceId: place.interfaceId, at: time + (place.ahead ?? 0), bytes });
    }
    this.#next[side] += advance;
  }
}

const FLAG_BITS: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, P: 8, A: 16 };

interface TcpParts {
  readonly from: End;
  readonly to: End;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: string;
  readonly payload: Buffer;
  readonly ttl: number;
  readonly identification: number;
}

/** Ethernet, IPv4, TCP. */
function tcpFrame({ from, to, sequence, acknowledgment, flags, payload, ttl, identification }: TcpParts): Buffer {
  const frame = Buffer.alloc(14 + 20 + 20 + payload.length);
  frame.writeUInt16BE(0x0800, 12);
  frame[14] = 0x45;
  frame.writeUInt16BE(frame.length - 14, 16);
  frame.writeUInt16BE(identification, 18);
  frame[22] = ttl;
  frame[23] = 6;
  frame.set(from[0].split('.').map(Number), 26);
  frame.set(to[0].split('.').map(Number), 30);
  frame.writeUInt16BE(from[1], 34);
  frame.writeUInt16BE(to[1], 36);
  frame.writeUInt32BE(sequence >>> 0, 38);
  frame.writeUInt32BE(acknowledgment >>> 0, 42);
  frame[46] = 5 << 4;
  frame[47] = [...flags].reduce((bits, letter) => bits | (FLAG_BITS[letter] ?? 0), 0);
  frame.writeUInt16BE(500, 48);
  payload.copy(frame, 54);
  return frame;
}
