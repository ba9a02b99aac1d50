import type { TracedPacket, TunnelLeg } from '../flow/traced-packet.ts';
import { IP_PROTOCOL } from '../layers/ip-protocol.ts';
import { FOUND_WAYS } from '../limits.ts';
import { RecentMap } from '../recent-map.ts';
import { WrongShape, whole } from './shape.ts';

/** As a tunnel's layer has it: `Geneve`. */
const KIND_MAXIMUM = 32;

/** Bytes of one segment: offload makes some longer than the 65,535 that IP has room for. */
const LENGTH_MAXIMUM = 2 ** 24;

/** Packets of one block are a few ms apart, ns: times that are further off are none. */
const SPAN_MAXIMUM_NS = 1e9;

const NO_OFFER = { scale: 0, timestamp: undefined };

/** What of a packet is the same for all of one direction of a flow at one place. */
type Ends = Pick<
  TracedPacket,
  | 'flow'
  | 'interfaceId'
  | 'place'
  | 'mayCopy'
  | 'hopLimit'
  | 'ipProtocol'
  | 'sourceHost'
  | 'sourcePort'
  | 'destinationHost'
  | 'destinationPort'
>;

interface Way {
  readonly ends: Ends;
  next: number;
}

export interface TracedSource {
  /** Time of the block at hand, ns since the first packet. */
  now(): number;
  /** The number here of a flow of the stream; -1 where it is not known. */
  flow(number: number): number;
  /** The number here of an interface of the stream. @throws WrongShape where it is not known */
  interfaceId(number: number): number;
  /** @throws WrongShape where it is no address */
  host(value: unknown): number;
  placeOf(interfaceId: number, device: number): number;
  mayCopy(interfaceId: number): boolean;
}

/**
 * Reads what TracedWriter wrote, of one stream. Bounded: of more than twice FOUND_WAYS directions the oldest are forgotten; the
 * writer knows half as many at a time.
 */
export class TracedReader {
  readonly #source: TracedSource;
  readonly #ways = new Map<number, Way>();
  /** By flow, as the stream counts them: numbers of its ways. */
  readonly #byFlow = new RecentMap<number, number[]>();

  constructor(source: TracedSource) {
    this.#source = source;
  }

  /** A flow has ended. @param flow as the stream counts them */
  forget(flow: number): void {
    for (const way of this.#byFlow.get(flow) ?? []) this.#ways.delete(way);
    this.#byFlow.delete(flow);
  }

  /** A SYN or an answer to one. @throws WrongShape */
  handshake(interfaceId: number, [numbers, ends, tunnel]: readonly unknown[]): TracedPacket {
    const [flow, flags, hopLimit, sequence, acknowledgment, scale, timestamp] = listOf(numbers, 7);
    return {
      ...this.#ends([IP_PROTOCOL.tcp, hopLimit, ...listOf(ends, 5)], interfaceId, flow),
      time: this.#source.now(),
      tcpFlags: int32(flags),
      sequence: int32(sequence),
      acknowledgment: int32(acknowledgment),
      payloadLength: 0,
      contentHash: 0,
      offer: { scale: int32(scale), timestamp: timestamp === null ? undefined : int32(timestamp) },
      tunnel: this.#tunnel(tunnel),
    };
  }

  /** Packets with data. @throws WrongShape */
  *packets([packets, begun]: readonly unknown[]): Generator<TracedPacket> {
    for (const way of listOf(begun)) this.#begin(listOf(way, 10));
    const numbers = listOf(packets);
    const now = this.#source.now();
    let time = now;
    // Times are differences; the block's is the last one's.
    for (let at = 1; at < numbers.length; at += 4) time -= at === 1 ? 0 : whole(numbers[at]);
    for (let at = 0; at + 3 < numbers.length; at += 4) {
      if (at > 0) time += whole(numbers[at + 1]);
      if (Math.abs(time - now) > SPAN_MAXIMUM_NS) throw new WrongShape('no time of the block');
      const way = this.#ways.get(whole(numbers[at]));
      const number = int32(numbers[at + 2]);
      const payloadLength = whole(numbers[at + 3]);
      if (payloadLength <= 0 || payloadLength > LENGTH_MAXIMUM) throw new WrongShape('no data');
      if (way === undefined) throw new WrongShape('no way');
      const at32 = (way.next + number) | 0;
      const isTcp = way.ends.ipProtocol === IP_PROTOCOL.tcp;
      way.next = isTcp ? (at32 + payloadLength) | 0 : 0;
      yield {
        ...way.ends,
        time,
        tcpFlags: 0,
        sequence: isTcp ? at32 : 0,
        acknowledgment: 0,
        payloadLength,
        contentHash: isTcp ? 0 : at32,
        offer: NO_OFFER,
        tunnel: undefined,
      };
    }
  }

  #begin([number, interfaceId, flow, ...rest]: readonly unknown[]): void {
    const way = whole(number);
    if (this.#ways.has(way)) throw new WrongShape('a way that has begun');
    this.#ways.set(way, { ends: this.#ends(rest, this.#source.interfaceId(whole(interfaceId)), flow), next: 0 });
    const ways = this.#byFlow.get(whole(flow));
    if (ways === undefined) this.#byFlow.set(whole(flow), [way]);
    else ways.push(way);
    if (this.#ways.size <= 2 * FOUND_WAYS) return;
    for (const oldest of this.#byFlow.takeOldest()?.[1] ?? []) this.#ways.delete(oldest);
  }

  #ends(
    [ipProtocol, hopLimit, device, source, sourcePort, destination, destinationPort]: readonly unknown[],
    interfaceId: number,
    flow: unknown,
  ): Ends {
    return {
      flow: this.#source.flow(whole(flow)),
      interfaceId,
      place: this.#source.placeOf(interfaceId, int32(device)),
      mayCopy: this.#source.mayCopy(interfaceId),
      ipProtocol: int32(ipProtocol),
      hopLimit: int32(hopLimit),
      sourceHost: this.#source.host(source),
      sourcePort: int32(sourcePort),
      destinationHost: this.#source.host(destination),
      destinationPort: int32(destinationPort),
    };
  }

  #tunnel(value: unknown): TunnelLeg | undefined {
    if (value === null) return undefined;
    const [kind, from, to] = listOf(value, 3);
    if (typeof kind !== 'string' || kind.length > KIND_MAXIMUM) throw new WrongShape('no tunnel');
    return { kind, from: this.#source.host(from), to: this.#source.host(to) };
  }
}

function listOf(value: unknown, length?: number): readonly unknown[] {
  if (!Array.isArray(value) || (length !== undefined && value.length !== length)) throw new WrongShape('no list');
  return value;
}

/** @returns int32, also of what was written as an unsigned number */
function int32(value: unknown): number {
  return whole(value) | 0;
}
