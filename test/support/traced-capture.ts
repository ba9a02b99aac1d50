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
  /** What the packets are in there: the nodes' own network. */
  readonly tunnel?: Tunnel;
  /** As the ends are called there, before or behind NAT. */
  readonly client?: End;
  readonly server?: End;
  /** Only what the client sends (0), or the server (1), passes here with these addresses. */
  readonly onlySide?: 0 | 1;
}

export type Tunnel = 'vxlan' | 'geneve' | 'ipip' | 'gre';

export interface Frame {
  readonly interfaceId: number;
  readonly at: number;
  readonly bytes: Buffer;
}

/** An empty frame of ARP. */
const ARP = Buffer.concat([Buffer.alloc(12), Buffer.from([0x08, 0x06]), Buffer.alloc(28)]);

/** A capture at several places, made packet by packet. Times: ms. */
export class TracedCapture {
  readonly interfaces: readonly string[];
  /** In the order in which they were made. */
  readonly frames: Frame[] = [];
  #datagrams = 0;
  readonly #dropped: number[] = [];

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
    return new TracedConnection(this.frames, places, [client, server], initial);
  }

  /** A datagram of UDP as each place saw it. @param times ms, by true time; undefined where it was not seen */
  datagram(
    places: readonly Passed[],
    ends: readonly [End, End],
    side: 0 | 1,
    payload: Buffer,
    times: readonly (number | undefined)[],
  ): this {
    this.#datagrams += 1;
    for (const [index, place] of places.entries()) {
      const time = times[index];
      if (time === undefined) continue;
      const here = [place.client ?? ends[0], place.server ?? ends[1]] as const;
      const header = Buffer.alloc(8);
      header.writeUInt16BE(here[side][1], 0);
      header.writeUInt16BE(here[side === 0 ? 1 : 0][1], 2);
      header.writeUInt16BE(8 + payload.length, 4);
      const bytes = around(
        place.tunnel,
        ipFrame({
          from: here[side][0],
          to: here[side === 0 ? 1 : 0][0],
          protocol: 17,
          ttl: place.ttl ?? 64,
          identification: this.#datagrams,
          carried: Buffer.concat([header, payload]),
        }),
      );
      this.frames.push({ interfaceId: place.interfaceId, at: time + (place.ahead ?? 0), bytes });
    }
    return this;
  }

  /** Packets are missing from the capture, and its counts say so. @param isMissed of an interface's next packet */
  miss(isMissed: (interfaceId: number) => boolean): void {
    const all = this.frames.splice(0);
    for (const frame of all) {
      if (isMissed(frame.interfaceId)) this.#dropped[frame.interfaceId] = (this.#dropped[frame.interfaceId] ?? 0) + 1;
      else this.frames.push(frame);
    }
  }

  /** @param later ms after the last packet, at which every interface has one more of no flow; undefined for none */
  pcapng(later?: number): Buffer {
    const end = Math.max(0, ...this.frames.map(({ at }) => at)) + (later ?? 0);
    const last =
      later === undefined ? [] : this.interfaces.map((_, interfaceId) => ({ interfaceId, at: end, bytes: ARP }));
    // As the merge would: in the order of the places' own clocks.
    return pcapngBlocks(
      this.interfaces,
      [...this.frames, ...last].sort((a, b) => a.at - b.at),
      this.interfaces.map((_, index) => this.#dropped[index] ?? 0),
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

  /** Bytes that were sent before. @param back how many bytes before the next new one they begin */
  resend(side: 0 | 1, back: number, payload: Buffer, times: readonly (number | undefined)[]): this {
    this.#next[side] -= back;
    this.#packet(side, 'PA', payload, times, 0);
    this.#next[side] += back;
    return this;
  }

  /** The server closes, then the client, `hop` ms from each place to the next. */
  close(at: number, hop = 0.1): this {
    const length = this.#places.length;
    this.#packet(1, 'FA', '', this.#along(1, at, hop), 1);
    this.#packet(0, 'FA', '', this.#along(0, at + hop * length, hop), 1);
    this.#packet(1, 'A', '', this.#along(1, at + hop * 2 * length, hop), 0);
    return this;
  }

  /** A SYN of the client; the same again when it is called again. @param timestamp TSval; without, the option is not there */
  syn(times: readonly (number | undefined)[], timestamp?: number): this {
    this.#packet(0, 'S', '', times, 0, timestamp);
    return this;
  }

  /** The server's answer to a SYN: `SA` or `RA`. */
  answer(flags: 'SA' | 'RA', times: readonly (number | undefined)[]): this {
    this.#next[0] += 1;
    this.#packet(1, flags, '', times, 0);
    this.#next[0] -= 1;
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
    timestamp?: number,
  ): void {
    const other = side === 0 ? 1 : 0;
    const identification = this.#identification;
    this.#identification += 1;
    for (const [index, place] of this.#places.entries()) {
      const time = times[index];
      if (time === undefined || (place.onlySide !== undefined && place.onlySide !== side)) continue;
      const ends = [place.client ?? this.#ends[0], place.server ?? this.#ends[1]] as const;
      const frame = tcpFrame({
        from: ends[side],
        to: ends[other],
        sequence: this.#next[side],
        acknowledgment: flags === 'S' ? 0 : this.#next[other],
        flags,
        payload: Buffer.from(payload),
        ttl: place.ttl ?? 64,
        identification,
        timestamp,
      });
      const bytes = around(place.tunnel, frame);
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
  readonly timestamp: number | undefined;
}

/** Ethernet, IPv4, TCP. */
function tcpFrame(parts: TcpParts): Buffer {
  const { from, to, sequence, acknowledgment, flags, payload, ttl, identification, timestamp } = parts;
  const header = Buffer.alloc(timestamp === undefined ? 20 : 32);
  if (timestamp !== undefined) {
    // RFC 7323, section 3.2, behind two bytes of padding.
    header.set([1, 1, 8, 10], 20);
    header.writeUInt32BE(timestamp, 24);
  }
  header.writeUInt16BE(from[1], 0);
  header.writeUInt16BE(to[1], 2);
  header.writeUInt32BE(sequence >>> 0, 4);
  header.writeUInt32BE(acknowledgment >>> 0, 8);
  header[12] = (header.length / 4) << 4;
  header[13] = [...flags].reduce((bits, letter) => bits | (FLAG_BITS[letter] ?? 0), 0);
  header.writeUInt16BE(500, 14);
  const carried = Buffer.concat([header, payload]);
  return ipFrame({ from: from[0], to: to[0], protocol: 6, ttl, identification, carried });
}

interface IpParts {
  readonly from: string;
  readonly to: string;
  readonly protocol: number;
  readonly ttl: number;
  readonly identification: number;
  readonly carried: Buffer;
}

/** Ethernet, IPv4, and what it carries. */
function ipFrame({ from, to, protocol, ttl, identification, carried }: IpParts): Buffer {
  const head = Buffer.alloc(34);
  head.writeUInt16BE(0x0800, 12);
  head[14] = 0x45;
  head.writeUInt16BE(20 + carried.length, 16);
  head.writeUInt16BE(identification, 18);
  head[22] = ttl;
  head[23] = protocol;
  head.set(from.split('.').map(Number), 26);
  head.set(to.split('.').map(Number), 30);
  return Buffer.concat([head, carried]);
}

const NODES = { from: '192.168.0.1', to: '192.168.0.2', ttl: 64, identification: 7 } as const;

/** A frame within a tunnel between two nodes. VXLAN: RFC 7348; Geneve: RFC 8926; IPIP: RFC 2003; GRE: RFC 2784. */
function around(tunnel: Tunnel | undefined, frame: Buffer): Buffer {
  const packet = frame.subarray(14);
  switch (tunnel) {
    case undefined:
      return frame;
    case 'ipip':
      return ipFrame({ ...NODES, protocol: 4, carried: packet });
    case 'gre':
      return ipFrame({ ...NODES, protocol: 47, carried: Buffer.concat([Buffer.of(0, 0, 8, 0), packet]) });
    case 'vxlan':
      return overUdp(4789, Buffer.concat([Buffer.of(8, 0, 0, 0, 0, 0, 1, 0), frame]));
    case 'geneve':
      return overUdp(6081, Buffer.concat([Buffer.of(0, 0, 0x65, 0x58, 0, 0, 1, 0), frame]));
  }
}

function overUdp(port: number, carried: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(50_000, 0);
  header.writeUInt16BE(port, 2);
  header.writeUInt16BE(8 + carried.length, 4);
  return ipFrame({ ...NODES, protocol: 17, carried: Buffer.concat([header, carried]) });
}
