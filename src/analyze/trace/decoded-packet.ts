import type { Places } from '../engine/places.ts';
import { legHash } from '../flow/connection-legs.ts';
import type { SynOffer, TracedPacket, TunnelLeg } from '../flow/traced-packet.ts';
import type { Hosts } from '../identity/hosts.ts';
import { IP_PROTOCOL } from '../layers/ip-protocol.ts';
import { LEG_CONTENT_BYTES } from '../limits.ts';
import { PacketView } from '../packet/packet.ts';
import { SynOptions } from '../tcp/options.ts';

/** A decoded packet as the tracer takes it. Reused: its values are read from the packet's view when they are asked for. */
export class DecodedPacket implements TracedPacket {
  flow = -1;
  time = 0;
  readonly #places: Places;
  readonly #hosts: Hosts;
  readonly #options = new SynOptions();
  #packet = new PacketView();

  constructor(places: Places, hosts: Hosts) {
    this.#places = places;
    this.#hosts = hosts;
  }

  /** @param flow its number, -1 for none @param time ns since the first packet */
  set(packet: PacketView, flow: number, time: number): this {
    this.#packet = packet;
    this.flow = flow;
    this.time = time;
    return this;
  }

  get interfaceId(): number {
    return this.#packet.interfaceId;
  }

  get place(): number {
    return this.#places.of(this.#packet);
  }

  get mayCopy(): boolean {
    return this.#places.mayCopy(this.#packet.linkType);
  }

  get hopLimit(): number {
    return this.#packet.hopLimit;
  }

  get ipProtocol(): number {
    return this.#packet.ipProtocol;
  }

  get sourceHost(): number {
    const { bytes, sourceAddress, addressLength } = this.#packet;
    return this.#hosts.number(bytes, sourceAddress, addressLength);
  }

  get sourcePort(): number {
    return this.#packet.sourcePort;
  }

  get destinationHost(): number {
    const { bytes, destinationAddress, addressLength } = this.#packet;
    return this.#hosts.number(bytes, destinationAddress, addressLength);
  }

  get destinationPort(): number {
    return this.#packet.destinationPort;
  }

  get tcpFlags(): number {
    return this.#packet.ipProtocol === IP_PROTOCOL.tcp ? this.#packet.tcpFlags : 0;
  }

  get sequence(): number {
    return this.#packet.tcpSequence;
  }

  get acknowledgment(): number {
    return this.#packet.tcpAcknowledgment;
  }

  get payloadLength(): number {
    const { ipProtocol, payloadLength, udpLength } = this.#packet;
    return ipProtocol === IP_PROTOCOL.udp && udpLength <= 0 ? 0 : payloadLength;
  }

  get contentHash(): number {
    const { bytes, cursor, end, payloadLength } = this.#packet;
    return legHash(bytes, cursor, Math.min(end, cursor + LEG_CONTENT_BYTES), payloadLength);
  }

  get offer(): SynOffer {
    this.#options.read(this.#packet);
    const { scale, timestamp, hasTimestamp } = this.#options;
    return { scale, timestamp: hasTimestamp ? timestamp : undefined };
  }

  get tunnel(): TunnelLeg | undefined {
    const { bytes, outerAddressLength, outerSourceAddress, outerDestinationAddress, tunnelTitle } = this.#packet;
    if (outerAddressLength === 0) return undefined;
    return {
      kind: tunnelTitle ?? 'IPIP',
      from: this.#hosts.number(bytes, outerSourceAddress, outerAddressLength),
      to: this.#hosts.number(bytes, outerDestinationAddress, outerAddressLength),
    };
  }
}
