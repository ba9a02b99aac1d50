import type { FlowFacts, TcpDirectionFacts } from '../flow/flow-facts.ts';
import type { AnalysisEvent } from '../record/event.ts';

/** Bytes from which on a transfer is judged by how fast it was. */
export const TRANSFER_BYTES = 1e6;

/** Connections of resolvers count where UDP was not enough. */
const DNS_PORT = 53;

/** Whether an event is out of the ordinary. What is not, is only counted (tallies.ts). */
export function isNotableEvent(event: AnalysisEvent): boolean {
  if (event.kind !== 'exchange') return event.kind === 'event';
  // 4xx: what the server refuses.
  return event.failed || event.incomplete !== undefined || event.status.charCodeAt(0) === 0x34;
}

/** Whether a TCP connection that has ended is out of the ordinary, or so large that its pace counts. */
export function isNotableFlow({ tcp, waits, client, server, serverPort }: FlowFacts): boolean {
  if (tcp === undefined) return false;
  const { state, resetBy } = tcp;
  return (
    waits !== undefined ||
    resetBy !== undefined ||
    tcp.syns > 1 ||
    state === 'unanswered' ||
    state === 'refused' ||
    server.payload === 0 ||
    serverPort === DNS_PORT ||
    client.payload >= TRANSFER_BYTES ||
    server.payload >= TRANSFER_BYTES ||
    isTroubled(tcp.client) ||
    isTroubled(tcp.server)
  );
}

function isTroubled({ retransmissions, zeroWindows }: TcpDirectionFacts): boolean {
  return retransmissions > 0 || zeroWindows > 0;
}
