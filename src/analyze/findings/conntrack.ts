import type { StatePair } from '../state/network-states.ts';
import { Case } from './cases.ts';
import { type DetectorKind, type FindingContext, placeOf } from './detector.ts';
import type { Finding } from './finding.ts';

/** Share of conntrack's entries from which on it counts as full: the kernel removes some early when none is free. */
const CONNTRACK_FULL = 0.95;

/** A connection tracking table without room, by the kernel's own count (net/netfilter/nf_conntrack_core.c). */
export const conntrack: DetectorKind = {
  codes: ['CONNTRACK_FULL'],
  create: (context) => {
    const unanswered = new Case();
    return {
      flowEnded: ({ id, first, tcp }) => {
        if (tcp?.state === 'unanswered' && tcp.syns > 1) unanswered.add(id, first);
      },
      findings: () => context.states.pairs().flatMap((pair) => conntrackFull(pair, context, unanswered)),
    };
  },
};

function conntrackFull(pair: StatePair, context: FindingContext, unanswered: Case): Finding[] {
  const { conntrack: table } = pair.last.state;
  if (table === undefined || table.maximum <= 0) return [];
  const share = table.count / table.maximum;
  if (share < CONNTRACK_FULL) return [];
  const subject = placeOf(context, pair.interfaceId);
  const isFailing = unanswered.cases > 0;
  const percent = `${Math.floor(share * 100)} %`;
  return [
    {
      code: 'CONNTRACK_FULL',
      severity: isFailing ? 'error' : 'warning',
      confidence: isFailing ? 'likely' : 'proven',
      subject,
      message: isFailing
        ? `New connections are lost because the connection tracking table of ${subject} is ${percent} full.`
        : `The connection tracking table of ${subject} is ${percent} full: when it is full, new connections are lost.`,
      evidence: [
        unanswered.evidence(
          `${table.count} of ${table.maximum} entries are in use${isFailing ? `, and ${unanswered.cases} connections got no response to the SYN` : ''}`,
          isFailing ? 'code == "TCP_NO_ANSWER"' : undefined,
        ),
      ],
      next: 'See which connections fill the table (conntrack -L on the node). Have these clients reuse connections, or raise net.netfilter.nf_conntrack_max.',
      otherwise: isFailing ? 'the servers do not respond for another reason' : undefined,
      cases: Math.max(1, unanswered.cases),
      attempts: Math.max(1, unanswered.cases),
    },
  ];
}
