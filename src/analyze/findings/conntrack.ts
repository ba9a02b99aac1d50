import { FINDING_SUBJECTS } from '../limits.ts';
import type { StatePair } from '../state/network-states.ts';
import { Case } from './cases.ts';
import { type DetectorKind, type FindingContext, placeOf, serverOf } from './detector.ts';
import type { Finding } from './finding.ts';
import { counted } from './words.ts';

/** Share of conntrack's entries from which on it counts as full: the kernel removes some early when none is free. */
const CONNTRACK_FULL = 0.95;

/** Connections without a response of one network namespace, and the servers that they are to. */
interface Lost {
  readonly one: Case;
  readonly servers: Set<string>;
}

/** A connection tracking table without room, by the kernel's own count (net/netfilter/nf_conntrack_core.c). */
export const conntrack: DetectorKind = {
  codes: ['CONNTRACK_FULL'],
  explains: { CONNTRACK_FULL: ['CONNECT_TIMEOUT'] },
  create: (context) => {
    /** By interface: the table of another namespace drops nothing there. */
    const unanswered = new Map<number, Lost>();
    return {
      flowEnded: (facts) => {
        const { id, first, tcp, interfaceId, sightings = [] } = facts;
        if (tcp?.state !== 'unanswered' || tcp.syns < 2) return;
        for (const place of [interfaceId, ...sightings.map((sighting) => sighting.interfaceId)]) {
          const lost = unanswered.get(place) ?? { one: new Case(), servers: new Set() };
          if (unanswered.size < FINDING_SUBJECTS) unanswered.set(place, lost);
          lost.one.add(id, first);
          if (lost.servers.size < FINDING_SUBJECTS) lost.servers.add(serverOf(context, facts, first));
        }
      },
      findings: () =>
        context.states
          .pairs()
          .flatMap((pair) => conntrackFull(pair, context, unanswered.get(pair.interfaceId)?.one ?? new Case())),
      explainedSubjects: () =>
        context.states
          .pairs()
          .filter((pair) => fullShare(pair) !== undefined)
          .flatMap(({ interfaceId }) => [...(unanswered.get(interfaceId)?.servers ?? [])]),
    };
  },
};

/** The share of the entries that are in use, where the table counts as full. */
function fullShare({ last }: StatePair): number | undefined {
  const { conntrack: table } = last.state;
  if (table === undefined || table.maximum <= 0) return undefined;
  const share = table.count / table.maximum;
  return share < CONNTRACK_FULL ? undefined : share;
}

function conntrackFull(pair: StatePair, context: FindingContext, unanswered: Case): Finding[] {
  const { conntrack: table } = pair.last.state;
  const share = fullShare(pair);
  if (table === undefined || share === undefined) return [];
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
          `${table.count} of ${table.maximum} entries are in use${isFailing ? `, and ${counted(unanswered.cases, 'connection')} got no response to the SYN` : ''}`,
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
