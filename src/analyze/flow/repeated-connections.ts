import type { RepeatedExchanges } from '../record/repeated-exchanges.ts';

/**
 * TCP connections from one host to a port of another that were in order: opened with one SYN, closed by both sides, nothing lost or
 * sent again, and all exchanges in order. An analysis beside an agent adds them up where an output only counts them and no other
 * agent can have seen them. Their exchanges come apart from them, before.
 */
export interface RepeatedConnections {
  /** As the exchange that a connection is in a summary (connection-exchange.ts): how many, bytes of packets, and setup times. */
  readonly opened: RepeatedExchanges;
  /** The client's port of each. */
  readonly clientPorts: readonly number[];
}
