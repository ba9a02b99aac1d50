import { opensOrAnswers, type TracedPacket, type TunnelLeg } from '../flow/traced-packet.ts';
import { IP_PROTOCOL } from '../layers/ip-protocol.ts';
import { FOUND_WAYS } from '../limits.ts';
import { RecentMap } from '../recent-map.ts';

/** Packets of one block, and the time between the first and the last of them, ns: others wait for them. */
const BLOCK_PACKETS = 256;
const BLOCK_NS = 5e6;

/** One direction of a flow at a place: what is the same for all of its packets is written once. */
interface Way {
  readonly number: number;
  readonly interfaceId: number;
  readonly device: number;
  readonly host: number;
  readonly port: number;
  /** The sequence number that is expected next. */
  next: number;
}

export interface TracedTarget {
  /** @param time of the block, ns since the first packet */
  write(kind: string, interfaceId: number, found: readonly unknown[], time: number): void;
  /** The address of a host; null without. */
  hostText(host: number): string | null;
}

/**
 * Writes what a tracer takes of packets (TracedPacket): a block for each SYN and each answer, and lists of four numbers for each
 * packet with data. Of content nothing but a hash of datagrams is in them.
 */
export class TracedWriter {
  readonly #target: TracedTarget;
  /** By flow. */
  readonly #ways = new RecentMap<number, Way[]>();
  #open = 0;
  #count = 0;
  /** Ways that began, and packets, since the last block. */
  #begun: unknown[] = [];
  #packets: number[] = [];
  #first = 0;
  #last = 0;
  #interfaceId = -1;

  constructor(target: TracedTarget) {
    this.#target = target;
  }

  /** @param device the interface within its place, as Places.of has it */
  packet(packet: TracedPacket, device: number): void {
    if (packet.flow < 0) return;
    if (packet.ipProtocol === IP_PROTOCOL.tcp) {
      if (opensOrAnswers(packet.tcpFlags)) this.#handshake(packet, device);
      if (packet.payloadLength > 0) this.#add(packet, device, packet.sequence);
    } else if (packet.ipProtocol === IP_PROTOCOL.udp && packet.payloadLength > 0) {
      this.#add(packet, device, packet.contentHash);
    }
  }

  /** A flow has ended. */
  forget(flow: number): void {
    this.#open -= this.#ways.get(flow)?.length ?? 0;
    this.#ways.delete(flow);
  }

  /** Write what waits. */
  flush(): void {
    if (this.#packets.length === 0) return;
    const [packets, begun] = [this.#packets, this.#begun];
    this.#packets = [];
    this.#begun = [];
    this.#target.write('p', this.#interfaceId, [packets, begun], this.#last);
  }

  #add(packet: TracedPacket, device: number, number: number): void {
    const { time, payloadLength } = packet;
    const isFull = this.#packets.length >= BLOCK_PACKETS * 4 || Math.abs(time - this.#first) > BLOCK_NS;
    if (isFull) this.flush();
    const way = this.#way(packet, device);
    if (this.#packets.length === 0) {
      this.#first = time;
      this.#last = time;
      this.#interfaceId = packet.interfaceId;
    }
    this.#packets.push(way.number, time - this.#last, (number - way.next) | 0, payloadLength);
    this.#last = time;
    way.next = packet.ipProtocol === IP_PROTOCOL.tcp ? (number + payloadLength) | 0 : 0;
  }

  #way(packet: TracedPacket, device: number): Way {
    const { flow, interfaceId, sourceHost: host, sourcePort: port } = packet;
    let ways = this.#ways.get(flow);
    if (ways === undefined) {
      ways = [];
      this.#ways.set(flow, ways);
    }
    for (const way of ways) {
      if (way.port === port && way.interfaceId === interfaceId && way.device === device && way.host === host) {
        return way;
      }
    }
    const way: Way = { number: this.#count, interfaceId, device, host, port, next: 0 };
    this.#count += 1;
    this.#open += 1;
    ways.push(way);
    this.#begun.push([
      way.number,
      interfaceId,
      flow,
      packet.ipProtocol,
      packet.hopLimit,
      ...this.#ends(packet, device),
    ]);
    if (this.#open > FOUND_WAYS) this.#makeRoom();
    return way;
  }

  /** What the oldest flow brings later begins anew. */
  #makeRoom(): void {
    this.#open -= this.#ways.takeOldest()?.[1].length ?? 0;
  }

  #handshake(packet: TracedPacket, device: number): void {
    this.flush();
    const { interfaceId, flow, tcpFlags, hopLimit, sequence, acknowledgment, time, tunnel } = packet;
    const { scale, timestamp } = packet.offer;
    const ends = this.#ends(packet, device);
    const numbers = [flow, tcpFlags, hopLimit, sequence, acknowledgment, scale, timestamp ?? null];
    this.#target.write('y', interfaceId, [numbers, ends, this.#tunnel(tunnel)], time);
  }

  #ends({ sourceHost, sourcePort, destinationHost, destinationPort }: TracedPacket, device: number): unknown[] {
    const { hostText } = this.#target;
    return [device, hostText(sourceHost), sourcePort, hostText(destinationHost), destinationPort];
  }

  #tunnel(tunnel: TunnelLeg | undefined): unknown {
    if (tunnel === undefined) return null;
    const { kind, from, to } = tunnel;
    return [kind, this.#target.hostText(from), this.#target.hostText(to)];
  }
}
