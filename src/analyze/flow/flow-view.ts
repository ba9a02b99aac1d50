import type {
  ConnectionWaits,
  DirectionFacts,
  FlowFacts,
  FlowInfo,
  OtherLeg,
  Sighting,
  TcpFacts,
  Transport,
} from './flow-facts.ts';
import { FLOW_F64, FLOW_I32 } from './flow-layout.ts';
import type { FlowTable } from './flow-table.ts';
import type { Redirect } from './redirects.ts';

/**
 * KIND of a flow's key: the IP protocol, plus 256 for IPv6, 512 for a redirected flow, which is found by its halves alone
 * (redirects.ts), and the number of the cluster from CLUSTER_SHIFT on.
 */
export const KIND_IPV6 = 256;
export const KIND_REDIRECTED = 512;
export const CLUSTER_SHIFT = 16;

const TRANSPORTS: Readonly<Record<number, Transport>> = { 6: 'tcp', 17: 'udp', 132: 'sctp', 1: 'icmp', 58: 'icmpv6' };

/** What is kept of a flow beside its table. */
export interface FlowSources {
  protocol(slot: number): string | undefined;
  /** @param client the client's direction */
  sightings(slot: number, client: number): readonly Sighting[] | undefined;
  sameAs(slot: number): OtherLeg | undefined;
  redirect(slot: number): Redirect | undefined;
  /** Only for the table of TCP connections. */
  readonly tcp?: ((slot: number) => TcpFacts) | undefined;
  readonly waits?: ((slot: number) => ConnectionWaits | undefined) | undefined;
  readonly isContinued?: ((slot: number) => boolean) | undefined;
}

/** A flow in its table, seen as FlowInfo: one view that is pointed at one flow after the other. */
export class FlowView implements FlowInfo {
  slot = -1;
  readonly #table: FlowTable;
  readonly #sources: FlowSources;

  constructor(table: FlowTable, sources: FlowSources) {
    this.#table = table;
    this.#sources = sources;
  }

  at(slot: number): this {
    this.slot = slot;
    return this;
  }

  get id(): number {
    return this.#int(FLOW_I32.id) - 1;
  }

  get continued(): boolean {
    return this.#sources.isContinued?.(this.slot) ?? false;
  }

  get transport(): Transport {
    return TRANSPORTS[this.#int(FLOW_I32.kind) & 0xff] ?? 'ip';
  }

  get clientHost(): number {
    return this.#int(FLOW_I32.hosts + this.#int(FLOW_I32.client));
  }

  get serverHost(): number {
    return this.#int(FLOW_I32.hosts + 1 - this.#int(FLOW_I32.client));
  }

  get clientPort(): number {
    return this.#port(this.#int(FLOW_I32.client));
  }

  get serverPort(): number {
    return this.#port(1 - this.#int(FLOW_I32.client));
  }

  get interfaceId(): number {
    return this.#int(FLOW_I32.interfaceId);
  }

  get sameAs(): OtherLeg | undefined {
    return this.#sources.sameAs(this.slot);
  }

  get redirect(): Redirect | undefined {
    return this.#sources.redirect(this.slot);
  }

  facts(): FlowFacts {
    const { id, transport, clientHost, serverHost, clientPort, serverPort, interfaceId, sameAs, redirect } = this;
    const client = this.#int(FLOW_I32.client);
    return {
      id,
      ...(this.continued ? { continued: true } : {}),
      transport,
      clientHost,
      serverHost,
      clientPort,
      serverPort,
      interfaceId,
      sameAs,
      ...(redirect === undefined ? {} : { redirect }),
      first: this.#double(FLOW_F64.first),
      // The clock of the packets may have gone backwards.
      last: Math.max(this.#double(FLOW_F64.first), this.#double(FLOW_F64.last)),
      client: this.#direction(client),
      server: this.#direction(1 - client),
      protocol: this.#sources.protocol(this.slot),
      tcp: this.#sources.tcp?.(this.slot),
      waits: this.#sources.waits?.(this.slot),
      sightings: this.#sources.sightings(this.slot, client),
    };
  }

  #direction(direction: number): DirectionFacts {
    return {
      packets: this.#int(FLOW_I32.packets + direction),
      bytes: this.#double(FLOW_F64.bytes + direction),
      payload: this.#double(FLOW_F64.payload + direction),
    };
  }

  #port(endpoint: number): number {
    const ports = this.#int(FLOW_I32.ports);
    return endpoint === 0 ? ports >>> 16 : ports & 0xffff;
  }

  #int(field: number): number {
    return this.#table.ints[this.#table.base(this.slot) + field] as number;
  }

  #double(field: number): number {
    return this.#table.doubles[(this.#table.base(this.slot) >> 1) + field] as number;
  }
}
