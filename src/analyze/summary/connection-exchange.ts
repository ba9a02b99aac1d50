import type { FlowFacts, TcpFacts } from '../flow/flow-facts.ts';
import type { Exchange } from '../record/event.ts';
import { CONNECTION } from './exchange-rows.ts';

/** Why a connection failed before any exchange; undefined where it did not. */
export function connectionFailure({ protocol, server }: FlowFacts, tcp: TcpFacts): string | undefined {
  if (tcp.state === 'refused') return 'refused';
  if (tcp.state === 'unanswered') return tcp.syns > 1 ? 'unanswered' : undefined;
  // A client that only looks whether the port is open resets as well.
  return tcp.resetBy === 'server' && protocol === undefined && server.payload === 0 ? 'reset by server' : undefined;
}

/** A connection as a row has it: what came of it, the bytes of its packets, and how long its setup took. */
export function connectionAsExchange(
  { first, client, server }: FlowFacts,
  { setup }: TcpFacts,
  failure: string | undefined,
): Exchange {
  return {
    kind: 'exchange',
    protocol: CONNECTION,
    label: 'connect',
    route: 'connect',
    time: first,
    requestEnd: first,
    responseTime: undefined,
    responseEnd: failure === undefined && setup !== undefined ? first + setup : undefined,
    requestBytes: client.bytes,
    responseBytes: server.bytes,
    status: failure ?? (setup === undefined ? '' : 'connected'),
    failed: failure !== undefined,
    fields: {},
  };
}
