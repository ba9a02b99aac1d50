import { isNotableFlow } from '../analyze/findings/notable.ts';
import type { FlowFacts, TcpDirectionFacts } from '../analyze/flow/flow-facts.ts';

/**
 * Whether a TCP connection was in order from its SYN to its end, so that a count is all that is made of it: one SYN, closed by both
 * sides, nothing lost, sent again or waited for.
 */
export function isConnectionInOrder(facts: FlowFacts): boolean {
  const { tcp, transport, protocol, redirect, continued } = facts;
  if (tcp === undefined || transport !== 'tcp' || protocol === undefined) return false;
  if (redirect !== undefined || continued === true || facts.sameAs?.unopened === true) return false;
  const isOpenedAndClosed =
    tcp.state === 'closed' && !tcp.midstream && tcp.syns === 1 && tcp.setup !== undefined && tcp.closedBy !== undefined;
  return isOpenedAndClosed && !isNotableFlow(facts) && isSmooth(tcp.client) && isSmooth(tcp.server);
}

function isSmooth(direction: TcpDirectionFacts): boolean {
  return Object.values(direction).every((count) => count === 0);
}
