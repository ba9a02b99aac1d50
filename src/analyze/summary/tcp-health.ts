import type { FlowFacts, TcpDirectionFacts, TcpFacts } from '../flow/flow-facts.ts';
import { OTHER } from './exchange-rows.ts';
import { Histogram } from './histogram.ts';
import { addTimes, type RowState, timesState } from './row-state.ts';

/** Servers with their ports; past it connections are counted in the row `other`. */
export const TCP_SERVERS_MAXIMUM = 1024;
/** Connections with the most trouble that are kept one by one. */
export const WORST_FLOWS = 10;

/** What a row's state may have. */
export const TCP_COUNTS = [
  'connections',
  'midstream',
  'refused',
  'unanswered',
  'resetByClient',
  'resetByServer',
  'retransmissions',
  'fastRetransmissions',
  'timeoutRetransmissions',
  'spuriousRetransmissions',
  'outOfOrder',
  'duplicateAcks',
  'keepAlives',
  'zeroWindows',
  'windowFull',
  'lost',
  'bytes',
] as const;
export const TCP_TIMES = ['handshake'] as const;

/** What one or more TCP connections came to; both directions together. */
export class TcpRow {
  connections = 0;
  midstream = 0;
  refused = 0;
  unanswered = 0;
  resetByClient = 0;
  resetByServer = 0;
  retransmissions = 0;
  fastRetransmissions = 0;
  timeoutRetransmissions = 0;
  spuriousRetransmissions = 0;
  outOfOrder = 0;
  duplicateAcks = 0;
  keepAlives = 0;
  zeroWindows = 0;
  windowFull = 0;
  lost = 0;
  bytes = 0;
  readonly handshake = new Histogram();

  /** What rows are ordered by. */
  get count(): number {
    return this.connections;
  }

  add(flow: FlowFacts, tcp: TcpFacts): void {
    this.connections += 1;
    if (tcp.midstream) this.midstream += 1;
    if (tcp.state === 'refused') this.refused += 1;
    else if (tcp.resetBy === 'client') this.resetByClient += 1;
    else if (tcp.resetBy === 'server') this.resetByServer += 1;
    // The capture may have ended before the answer to a single SYN.
    if (tcp.state === 'unanswered' && tcp.syns > 1) this.unanswered += 1;
    this.bytes += flow.client.bytes + flow.server.bytes;
    this.#addDirection(tcp.client);
    this.#addDirection(tcp.server);
    if (tcp.setup !== undefined) this.handshake.record(tcp.setup);
  }

  /** Add connections in order. @param setup how long theirs took */
  addInOrder(count: number, bytes: number, setup: Histogram): void {
    this.connections += count;
    this.bytes += bytes;
    this.handshake.merge(setup);
  }

  merge(other: TcpRow): void {
    this.connections += other.connections;
    this.midstream += other.midstream;
    this.refused += other.refused;
    this.unanswered += other.unanswered;
    this.resetByClient += other.resetByClient;
    this.resetByServer += other.resetByServer;
    this.bytes += other.bytes;
    this.#addDirection(other);
    this.handshake.merge(other.handshake);
  }

  /** What was counted, for another one to add. */
  state(): RowState {
    const counts = Object.fromEntries(TCP_COUNTS.map((name) => [name, this[name]]));
    return { counts, times: timesState({ handshake: this.handshake }), statuses: [] };
  }

  /** Add what another one has counted, or a delta of it. @param state validated */
  addState({ counts, times }: RowState): void {
    for (const name of TCP_COUNTS) this[name] += counts[name] ?? 0;
    addTimes({ handshake: this.handshake }, times);
  }

  #addDirection(direction: TcpDirectionFacts): void {
    this.retransmissions += direction.retransmissions;
    this.fastRetransmissions += direction.fastRetransmissions;
    this.timeoutRetransmissions += direction.timeoutRetransmissions;
    this.spuriousRetransmissions += direction.spuriousRetransmissions;
    this.outOfOrder += direction.outOfOrder;
    this.duplicateAcks += direction.duplicateAcks;
    this.keepAlives += direction.keepAlives;
    this.zeroWindows += direction.zeroWindows;
    this.windowFull += direction.windowFull;
    this.lost += direction.lost;
  }
}

/** A connection and how much went wrong with it. */
interface Troubled {
  readonly trouble: number;
  readonly flow: FlowFacts;
}

/** TCP connections by server and port, and those with the most trouble. */
export class TcpHealth<Server> {
  #rows = 0;
  readonly #servers = new Map<Server | typeof OTHER, Map<number, TcpRow>>();
  /** Worst first. */
  readonly #worst: Troubled[] = [];

  add(server: Server, flow: FlowFacts, tcp: TcpFacts): void {
    this.#row(server, flow.serverPort).add(flow, tcp);
    const trouble = troubleOf(tcp);
    if (trouble > 0) this.#keepWorst(trouble, flow);
  }

  /** Add connections that had no trouble. @param flow what they came to, all together @param setup how long theirs took */
  addInOrder(server: Server, { serverPort, client, server: answer }: FlowFacts, count: number, setup: Histogram): void {
    this.#row(server, serverPort).addInOrder(count, client.bytes + answer.bytes, setup);
  }

  *rows(): Generator<{ server: Server | typeof OTHER; port: number; row: TcpRow }> {
    for (const [server, ports] of this.#servers) {
      for (const [port, row] of ports) yield { server, port, row };
    }
  }

  /** Worst first. */
  worst(): readonly Troubled[] {
    return this.#worst;
  }

  #row(server: Server, port: number): TcpRow {
    return this.#servers.get(server)?.get(port) ?? this.#make(server, port);
  }

  #make(server: Server, port: number): TcpRow {
    const isFull = this.#rows >= TCP_SERVERS_MAXIMUM - 1;
    const name = isFull ? OTHER : server;
    const ports = this.#servers.get(name) ?? new Map<number, TcpRow>();
    this.#servers.set(name, ports);
    const row = ports.get(isFull ? 0 : port) ?? new TcpRow();
    ports.set(isFull ? 0 : port, row);
    this.#rows += isFull ? 0 : 1;
    return row;
  }

  #keepWorst(trouble: number, flow: FlowFacts): void {
    const candidate = { trouble, flow };
    const least = this.#worst[WORST_FLOWS - 1];
    if (least !== undefined && !isWorse(candidate, least)) return;
    let at = this.#worst.length;
    while (at > 0 && isWorse(candidate, this.#worst[at - 1] as Troubled)) at -= 1;
    this.#worst.splice(at, 0, candidate);
    if (this.#worst.length > WORST_FLOWS) this.#worst.pop();
  }
}

/** Of equal ones the earlier is the worse: an order that does not depend on which ended first. */
function isWorse(a: Troubled, b: Troubled): boolean {
  const { flow: one } = a;
  const { flow: two } = b;
  const order =
    b.trouble - a.trouble ||
    one.first - two.first ||
    one.clientPort - two.clientPort ||
    one.serverPort - two.serverPort;
  return order < 0;
}

/** Retransmissions, zero and full windows; a connection that was refused, reset or not answered counts as one more. */
function troubleOf(tcp: TcpFacts): number {
  const { client, server } = tcp;
  const broken = tcp.resetBy !== undefined || tcp.state === 'refused' || tcp.state === 'unanswered';
  return (
    client.retransmissions +
    server.retransmissions +
    client.zeroWindows +
    server.zeroWindows +
    client.windowFull +
    server.windowFull +
    (broken ? 1 : 0)
  );
}
