import type { DirectionFacts, FlowFacts, FlowInfo, TcpFacts, Transport } from './flow-facts.ts';
import { D, N } from './flow-layout.ts';
import type { FlowTable } from './flow-table.ts';

/** KIND of a flow's key: the IP protocol, plus 256 for IPv6. */
export const KIND_IPV6 = 256;

const TRANSPORTS: Readonly<Record<number, Transport>> = { 6: 'tcp', 17: 'udp', 132: 'sctp', 1: 'icmp', 58: 'icmpv6' };

/** A flow in its table, seen as FlowInfo: one view that is pointed at one flow after the other. */
export class FlowView implements FlowInfo {
  place = -1;
  readonly #table: FlowTable;
  readonly #protocolOf: (place: number) => string | undefined;
  readonly #tcpOf: ((place: number) => TcpFacts) | undefined;

  /** @param tcpOf only for the table of TCP connections */
  constructor(
    table: FlowTable,
    protocolOf: (place: number) => string | undefined,
    tcpOf?: ((place: number) => TcpFacts) | undefined,
  ) {
    this.#table = table;
    this.#protocolOf = protocolOf;
    this.#tcpOf = tcpOf;
  }

  at(place: number): this {
    this.place = place;
    return this;
  }

  get id(): number {
    return this.#int(N.id) - 1;
  }

  get transport(): Transport {
    return TRANSPORTS[this.#int(N.kind) & 0xff] ?? 'ip';
  }

  get clientHost(): number {
    return this.#int(N.hosts + this.#int(N.client));
  }

  get serverHost(): number {
    return this.#int(N.hosts + 1 - this.#int(N.client));
  }

  get clientPort(): number {
    return this.#port(this.#int(N.client));
  }

  get serverPort(): number {
    return this.#port(1 - this.#int(N.client));
  }

  get interfaceId(): number {
    return this.#int(N.interfaceId);
  }

  facts(): FlowFacts {
    const { id, transport, clientHost, serverHost, clientPort, serverPort, interfaceId } = this;
    const client = this.#int(N.client);
    return {
      id,
      transport,
      clientHost,
      serverHost,
      clientPort,
      serverPort,
      interfaceId,
      first: this.#double(D.first),
      last: this.#double(D.last),
      client: this.#direction(client),
      server: this.#direction(1 - client),
      protocol: this.#protocolOf(this.place),
      tcp: this.#tcpOf?.(this.place),
    };
  }

  #direction(direction: number): DirectionFacts {
    return {
      packets: this.#int(N.packets + direction),
      bytes: this.#double(D.bytes + direction),
      payload: this.#double(D.payload + direction),
    };
  }

  #port(endpoint: number): number {
    const ports = this.#int(N.ports);
    return endpoint === 0 ? ports >>> 16 : ports & 0xffff;
  }

  #int(field: number): number {
    return this.#table.ints[this.#table.base(this.place) + field] as number;
  }

  #double(field: number): number {
    return this.#table.doubles[(this.#table.base(this.place) >> 1) + field] as number;
  }
}
