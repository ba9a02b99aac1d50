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

/**
 * A flow in its table, seen as FlowInfo: one view that is pointed at one flow after the other. Who takes an event looks at these
 * numbers many times, so they are read once, when the view is pointed at the flow.
 */
export class FlowView implements FlowInfo {
  slot = -1;
  id = -1;
  transport: Transport = 'ip';
  clientHost = -1;
  serverHost = -1;
  clientPort = 0;
  serverPort = 0;
  interfaceId = 0;
  sameAs: OtherLeg | undefined;
  #kind = -1;
  readonly #table: FlowTable;
  readonly #sources: FlowSources;

  constructor(table: FlowTable, sources: FlowSources) {
    this.#table = table;
    this.#sources = sources;
  }

  at(slot: number): this {
    const { ints } = this.#table;
    const base = this.#table.base(slot);
    const client = ints[base + FLOW_I32.client] as number;
    const ports = ints[base + FLOW_I32.ports] as number;
    const kind = (ints[base + FLOW_I32.kind] as number) & 0xff;
    this.slot = slot;
    this.id = (ints[base + FLOW_I32.id] as number) - 1;
    this.clientHost = ints[base + FLOW_I32.hosts + client] as number;
    this.serverHost = ints[base + FLOW_I32.hosts + 1 - client] as number;
    this.clientPort = client === 0 ? ports >>> 16 : ports & 0xffff;
    this.serverPort = client === 0 ? ports & 0xffff : ports >>> 16;
    this.interfaceId = ints[base + FLOW_I32.interfaceId] as number;
    this.sameAs = this.#sources.sameAs(slot);
    if (kind !== this.#kind) {
      this.#kind = kind;
      this.transport = TRANSPORTS[kind] ?? 'ip';
    }
    return this;
  }

  get continued(): boolean {
    return this.#sources.isContinued?.(this.slot) ?? false;
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

  #int(field: number): number {
    return this.#table.ints[this.#table.base(this.slot) + field] as number;
  }

  #double(field: number): number {
    return this.#table.doubles[(this.#table.base(this.slot) >> 1) + field] as number;
  }
}
