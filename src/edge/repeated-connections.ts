import type { AlikeExchanges } from '../analyze/flow/alike.ts';
import type { AnalysisSink, FlowFacts, FlowIdentity, FlowInfo } from '../analyze/flow/flow-facts.ts';
import { BEGAN, type Began } from '../analyze/found/began.ts';
import { type FoundWriter, isSameFlow } from '../analyze/found/found-writer.ts';
import { IP_PROTOCOL } from '../analyze/layers/ip-protocol.ts';
import { DIRECTION } from '../analyze/layers/layer.ts';
import { LEG_DATAGRAM_WINDOW_NS } from '../analyze/limits.ts';
import type { PacketView } from '../analyze/packet/packet.ts';
import { RecentMap } from '../analyze/recent-map.ts';
import type { AnalysisEvent, Exchange } from '../analyze/record/event.ts';
import { requestIdOf } from '../analyze/record/repeated-exchanges.ts';
import { connectionAsExchange } from '../analyze/summary/connection-exchange.ts';
import { ExchangeRow } from '../analyze/summary/exchange-rows.ts';
import { AloneDatagrams } from './alone-datagrams.ts';
import { isConnectionInOrder } from './connections-in-order.ts';
import { DELTA_MS, identityOf, type RepeatedSink } from './repeated-exchanges.ts';

/**
 * What is held back of connections until they have ended: bytes, estimated, and exchanges of each. What does not fit travels singly. Of
 * the worker's memory (EDGE_HEAP_MB) a half is for the rest.
 */
const HELD_BYTES = 16 * 1024 * 1024;
const EXCHANGES_MAXIMUM = 8;

/** What is held of a connection, of one that has ended, of an exchange without its texts, and of what shows its leg, bytes in memory. */
const CONNECTION_BYTES = 384;
const FACTS_BYTES = 1_536;
const EXCHANGE_BYTES = 384;
const SHOWN_BYTES = 64;

/** So long a connection is held back, milliseconds: a closed one stays in the flow table for 10 s. */
const HELD_MS = 20_000;

/** Rows that wait, and connections of one row: their ports fit into a block. Past these they are sent. */
const ROWS_MAXIMUM = 1_024;
const COUNT_MAXIMUM = 4_096;

/** Flows of datagrams whose first one is remembered. */
const SHOWN_MAXIMUM = 4_096;

/** Hosts of which the client knows at which interface they are. */
const HOSTS_MAXIMUM = 16_384;

/** A connection of which the client knows nothing yet. */
interface Held {
  readonly began: Began;
  readonly since: number;
  /** Time of its first packet, ns. */
  readonly time: number;
  /** What NAT does not change of it, as legShown gets it. */
  readonly shown: (readonly [number, number, boolean])[];
  readonly exchanges: Exchange[];
  /** As the last exchange showed it. */
  identity: FlowIdentity | undefined;
  /** The same connection before NAT, or behind it: both are added up, or none. */
  other: Held | undefined;
  /** When it has ended, in order. */
  facts: FlowFacts | undefined;
  /** What all of this takes, estimated. */
  bytes: number;
}

/** What a flow showed first, as legShown gets it, and when, milliseconds. */
interface Shown {
  readonly at: number;
  readonly flow: number;
  readonly interfaceId: number;
  readonly first: number;
  readonly second: number;
}

/** Connections that differ in their ports, times and bytes alone. */
interface Row {
  /** Of the first one, whose number all of them have. */
  readonly flow: FlowIdentity;
  readonly opened: ExchangeRow;
  readonly clientPorts: number[];
  readonly sums: { clientPackets: number; clientPayload: number; serverPackets: number; serverPayload: number };
  readonly protocol: string | undefined;
  connection: Exchange;
  first: number;
  last: number;
}

/**
 * Adds up TCP connections that are in order, by client, server and what they carry, and hands them on every few seconds with their
 * exchanges. Only while no other agent is part of the capture: what another one has seen as well could not be told apart any more.
 * Each connection is held back until it has ended; where something is out of the ordinary, it travels from its beginning. Of
 * each kind of exchange between two hosts the first one travels with its connection, so that the client's rows are in the order of
 * the packets.
 */
export class ConnectionSink implements AnalysisSink {
  readonly #found: FoundWriter;
  readonly #exchanges: RepeatedSink;
  readonly #now: () => number;
  #isAlone: boolean;
  readonly #datagrams: AloneDatagrams | undefined;
  /** Exchanges of datagrams that are added up come here in place of events. */
  alike: AlikeExchanges | undefined;
  /** By the number of the flow, in the order of their beginnings. */
  readonly #held = new Map<number, Held>();
  #heldBytes = 0;
  readonly #rows = new Map<string, Row>();
  #since = 0;
  /** When the earliest connection of the rows began, ns. */
  #began = Number.POSITIVE_INFINITY;
  /** What flows of datagrams have shown lately. */
  readonly #shown: Shown[] = [];
  /** By host: the interface where the client has it. */
  readonly #places = new RecentMap<number, number>(HOSTS_MAXIMUM);

  /**
   * @param exchanges takes what is not held back, and the exchanges of what is added up; it writes to `found`
   * @param alone no other agent is part of the capture: `connections` are added up, or these and what datagrams carry
   * @param now the monotonic clock, milliseconds
   */
  constructor(
    found: FoundWriter,
    exchanges: RepeatedSink,
    alone: 'connections' | 'all' | undefined,
    now: () => number,
  ) {
    this.#found = found;
    this.#exchanges = exchanges;
    this.#isAlone = alone !== undefined;
    this.#datagrams = alone === 'all' ? new AloneDatagrams(found, now) : undefined;
    this.alike = this.#datagrams?.lookups;
    this.#now = now;
    exchanges.beforeNames = () => this.flush();
  }

  /** When the earliest of what waits began, ns since the first packet; undefined where nothing waits. */
  get since(): number | undefined {
    const [oldest] = this.#held.values();
    const begins = [oldest?.time, this.#began, this.#exchanges.since, this.#datagrams?.since];
    const since = Math.min(...begins.map((time) => time ?? Number.POSITIVE_INFINITY));
    return since === Number.POSITIVE_INFINITY ? undefined : since;
  }

  /** Another agent joins the capture: from now on each connection travels. @param flows visits those that are open */
  notAlone(flows: (visit: (flow: FlowInfo) => void) => void): void {
    if (!this.#isAlone) return;
    this.flush();
    this.#isAlone = false;
    this.alike = undefined;
    this.#datagrams?.end(flows);
    const since = this.#now() - LEG_DATAGRAM_WINDOW_NS / 1e6;
    for (const { at, flow, interfaceId, first, second } of this.#shown.splice(0)) {
      if (at >= since) this.#found.legShown(flow, interfaceId, first, second);
    }
  }

  flowBegan(packet: PacketView): void {
    const began = this.#found.beganOf(packet);
    if (!this.#isAlone) {
      this.#found.began(began);
      return;
    }
    const { ipProtocol, interfaceId, known, passes } = began;
    const isDatagram = ipProtocol === IP_PROTOCOL.udp;
    const host = passes === 1 ? began.source : began.destination;
    const isPlaced = passes === 0 || this.#places.get(host) === interfaceId;
    if (passes !== 0) this.#places.set(host, interfaceId);
    if (isPlaced && ipProtocol === IP_PROTOCOL.tcp && known === BEGAN.opening) {
      const held: Held = {
        began,
        since: this.#now(),
        time: this.#found.now,
        shown: [],
        exchanges: [],
        identity: undefined,
        other: undefined,
        facts: undefined,
        bytes: 0,
      };
      this.#held.set(began.id, held);
      this.#grow(held, CONNECTION_BYTES);
      return;
    }
    if (began.shown !== undefined) this.#keepShown(interfaceId, began.shown);
    if (isPlaced && isDatagram && known === 0 && this.#datagrams !== undefined) return;
    if (isDatagram) this.#datagrams?.began(began.id);
    this.#found.began({ ...began, shown: undefined });
  }

  leftAt(packet: PacketView): void {
    if (this.#isAlone && packet.passes !== DIRECTION.unknown) {
      const at = packet.passes === DIRECTION.outbound ? packet.sourceAddress : packet.destinationAddress;
      const host = this.#found.hostOf(packet, at);
      if (this.#places.get(host) === packet.interfaceId) return;
      this.#places.set(host, packet.interfaceId);
    }
    this.#found.leftAt(packet);
  }

  legShown(flow: number, interfaceId: number, first: number, second: number, isSegment = false): void {
    const held = this.#held.get(flow);
    if (held === undefined) {
      this.#found.legShown(flow, interfaceId, first, second, isSegment);
      return;
    }
    held.shown.push([first, second, isSegment]);
    this.#grow(held, SHOWN_BYTES);
  }

  legJoined(flow: FlowInfo): void {
    const held = this.#held.get(flow.id);
    const other = flow.sameAs === undefined ? undefined : this.#held.get(flow.sameAs.id);
    if (held !== undefined && other !== undefined && held.other === undefined && other.other === undefined) {
      held.other = other;
      other.other = held;
      return;
    }
    this.#revealAll([held, other]);
    this.#exchanges.legJoined(flow);
  }

  /** For other agents alone: one that joins sees connections that begin from then on. */
  notOpened(flow: FlowInfo, initial: number, leaves: boolean): void {
    if (!this.#isAlone) this.#exchanges.notOpened(flow, initial, leaves);
  }

  event(event: AnalysisEvent, flow: FlowInfo): void {
    const held = this.#held.get(flow.id);
    if (held !== undefined && event.kind === 'exchange' && this.#isHeldBack(held, event, flow)) {
      held.exchanges.push(event);
      held.identity = identityOf(flow);
      this.#grow(held, EXCHANGE_BYTES + event.label.length + event.route.length + requestIdOf(event).length);
      return;
    }
    this.#revealAll([held, this.#legOf(flow)]);
    if (this.#isAlone && flow.transport === 'udp') this.#datagrams?.before(event, flow);
    this.#exchanges.event(event, flow);
  }

  flowEnded(flow: FlowInfo): void {
    const held = this.#held.get(flow.id);
    if (held !== undefined && held.identity !== undefined && isSameFlow(held.identity, flow)) {
      const facts = flow.facts();
      if (isConnectionInOrder(facts)) {
        held.facts = facts;
        const { other } = held;
        if (other === undefined) this.#add(held);
        else if (other.facts !== undefined) {
          // The one that was seen first counts: what is behind it comes after it.
          this.#add(held.facts.sameAs === undefined ? held : other);
          this.#add(held.facts.sameAs === undefined ? other : held);
        } else this.#grow(held, FACTS_BYTES);
        return;
      }
    }
    this.#revealAll([held, this.#legOf(flow)]);
    // Of datagrams only the flows are counted.
    const isCounted = this.#isAlone && flow.transport === 'udp' && flow.continued !== true;
    if (!isCounted) this.#exchanges.flowEnded(flow);
    else if (this.#datagrams?.flowEnded(flow) !== true && !this.#found.flowGone(flow)) this.#exchanges.flowEnded(flow);
  }

  /** Send what has waited for long enough. */
  tick(): void {
    const before = this.#now() - HELD_MS;
    for (const held of this.#held.values()) {
      if (held.since > before) break;
      this.#reveal(held);
    }
    if (this.#rows.size > 0 && this.#now() - this.#since >= DELTA_MS) this.#sendRows();
    this.#exchanges.tick();
    if (this.#isAlone) this.#datagrams?.tick();
  }

  /** Send all that waits. */
  flush(): void {
    for (const held of this.#held.values()) this.#reveal(held);
    this.flushEnded();
  }

  /** Send what was added up. Connections that are held back go on: the last state of a capture comes soon before its end. */
  flushEnded(): void {
    this.#sendRows();
    this.#exchanges.flush();
    if (this.#isAlone) this.#datagrams?.flush();
  }

  /** What a flow of datagrams shows is for other agents alone: it waits for one that joins. */
  #keepShown(interfaceId: number, [flow = -1, first = 0, second = 0]: readonly number[]): void {
    const before = this.#now() - LEG_DATAGRAM_WINDOW_NS / 1e6;
    const [oldest] = this.#shown;
    if (oldest !== undefined && (oldest.at < before || this.#shown.length >= SHOWN_MAXIMUM)) this.#shown.shift();
    this.#shown.push({ at: this.#now(), flow, interfaceId, first, second });
  }

  /** The other leg of a flow, where the client is to know it and does not. */
  #legOf({ sameAs }: FlowIdentity): Held | undefined {
    return sameAs === undefined ? undefined : this.#held.get(sameAs.id);
  }

  #isHeldBack(held: Held, exchange: Exchange, flow: FlowInfo): boolean {
    if (held.exchanges.length >= EXCHANGES_MAXIMUM || held.facts !== undefined) return false;
    if (held.identity !== undefined && !isSameFlow(held.identity, flow)) return false;
    // A leg of what is not held back travels as that does.
    if (flow.sameAs !== undefined && held.other?.began.id !== flow.sameAs.id) return false;
    return this.#exchanges.isAddedUp(exchange, flow);
  }

  /** So many bytes more are held of a connection: where that is too much, the oldest travel; it may be among them. */
  #grow(held: Held, bytes: number): void {
    held.bytes += bytes;
    this.#heldBytes += bytes;
    while (this.#heldBytes > HELD_BYTES) {
      const [oldest] = this.#held.values();
      if (oldest === undefined) return;
      this.#reveal(oldest);
    }
  }

  /** It is held back no longer. @returns whether it was */
  #release({ began, bytes }: Held): boolean {
    if (!this.#held.delete(began.id)) return false;
    this.#heldBytes -= bytes;
    return true;
  }

  #revealAll(all: readonly (Held | undefined)[]): void {
    for (const held of all) if (held !== undefined) this.#reveal(held);
  }

  /** It travels from its beginning on, and with it what is the same connection. */
  #reveal(held: Held): void {
    const { other } = held;
    const legs = other === undefined ? [held] : [held, other].sort((one, two) => one.began.id - two.began.id);
    for (const leg of legs) {
      if (!this.#release(leg)) continue;
      const { began, shown, exchanges, identity, facts } = leg;
      this.#found.began(began);
      for (const [first, second, isSegment] of shown) {
        this.#found.legShown(began.id, began.interfaceId, first, second, isSegment);
      }
      if (identity !== undefined) for (const exchange of exchanges) this.#exchanges.event(exchange, identity);
      if (facts !== undefined) this.#exchanges.flowEnded({ ...facts, facts: () => facts });
    }
  }

  /** It has ended, and everything about it was in order. */
  #add(held: Held): void {
    this.#release(held);
    const { exchanges, identity, facts } = held;
    if (identity === undefined || facts?.tcp === undefined) return;
    const connection = connectionAsExchange(facts, facts.tcp, undefined);
    const row = this.#rowOf(
      identity,
      facts,
      connection,
      exchanges.some(({ probe }) => probe === true),
    );
    for (const exchange of exchanges) this.#exchanges.event(exchange, row.flow);
    this.#began = Math.min(this.#began, held.time);
    row.opened.add(connection);
    row.clientPorts.push(facts.clientPort);
    row.sums.clientPackets += facts.client.packets;
    row.sums.clientPayload += facts.client.payload;
    row.sums.serverPackets += facts.server.packets;
    row.sums.serverPayload += facts.server.payload;
    row.first = Math.max(row.first, facts.first);
    row.last = Math.max(row.last, facts.last);
    row.connection = connection;
    if (row.clientPorts.length >= COUNT_MAXIMUM) this.#sendRows();
  }

  #rowOf(identity: FlowIdentity, { first, last, protocol }: FlowFacts, connection: Exchange, isProbe: boolean): Row {
    const { clientHost, serverHost, serverPort, interfaceId, sameAs } = identity;
    const key = `${clientHost} ${serverHost} ${serverPort} ${interfaceId} ${sameAs?.serverHost} ${isProbe} ${protocol}`;
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    if (this.#rows.size >= ROWS_MAXIMUM) this.#sendRows();
    if (this.#rows.size === 0) this.#since = this.#now();
    const sums = { clientPackets: 0, clientPayload: 0, serverPackets: 0, serverPayload: 0 };
    const row = { flow: identity, opened: new ExchangeRow(), clientPorts: [], sums, protocol, connection, first, last };
    this.#rows.set(key, row);
    return row;
  }

  #sendRows(): void {
    for (const { flow, opened, clientPorts, sums, protocol, connection, first, last } of this.#rows.values()) {
      this.#exchanges.flushFlow(flow.id);
      const { counts, times } = opened.state();
      const { count = 1, requestBytes = 0, responseBytes = 0 } = counts;
      const row = { exchange: connection, count, first: connection.time, requestBytes, responseBytes, times };
      this.#found.connections({ opened: { ...row, requestIds: [] }, clientPorts }, flow, {
        first,
        last,
        client: { packets: sums.clientPackets, bytes: requestBytes, payload: sums.clientPayload },
        server: { packets: sums.serverPackets, bytes: responseBytes, payload: sums.serverPayload },
        protocol,
      });
    }
    this.#rows.clear();
    this.#began = Number.POSITIVE_INFINITY;
  }
}
