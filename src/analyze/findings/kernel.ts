import type { StatePair } from '../state/network-states.ts';
import { growth } from '../state/network-states.ts';
import { Case } from './cases.ts';
import type { DetectorKind, FindingContext } from './detector.ts';
import type { Finding } from './finding.ts';

/** Share of conntrack's entries from which on it counts as full: the kernel removes some early when none is free. */
const CONNTRACK_FULL = 0.95;

/** What the kernel itself counted in a network namespace (/proc/net/netstat; net/netfilter/nf_conntrack_core.c). */
export const kernel: DetectorKind = {
  codes: ['ACCEPT_QUEUE_FULL', 'CONNTRACK_FULL'],
  create: (context) => {
    const unanswered = new Case();
    return {
      flowEnded: ({ id, first, tcp }) => {
        if (tcp?.state === 'unanswered' && tcp.syns > 1) unanswered.add(id, first);
      },
      findings: () =>
        context.states
          .pairs()
          .flatMap((pair) => [...acceptQueueFull(pair, context), ...conntrackFull(pair, context, unanswered)]),
    };
  },
};

function acceptQueueFull(pair: StatePair, context: FindingContext): Finding[] {
  const overflows = growth(pair, 'TcpExt ListenOverflows') ?? 0;
  if (overflows === 0) return [];
  const subject = place(pair, context);
  const waiting = pair.last.state.listening?.filter(({ queue }) => queue > 0) ?? [];
  const [only] = waiting;
  const where = waiting.length === 1 && only !== undefined ? ` on port ${only.port}` : '';
  return [
    {
      code: 'ACCEPT_QUEUE_FULL',
      severity: 'error',
      confidence: 'proven',
      subject,
      message: `${subject} does not accept connections fast enough${where}: its accept queue was full ${times(overflows)}.`,
      evidence: [
        {
          text: `the kernel's counter ListenOverflows rose by ${overflows} between the first and the last state`,
          flows: [],
          times: undefined,
          where: undefined,
        },
      ],
      next: 'Look at the load of the program; raise the backlog of its listen call and net.core.somaxconn of the pod.',
      otherwise: undefined,
      cases: overflows,
      attempts: overflows,
    },
  ];
}

function conntrackFull(pair: StatePair, context: FindingContext, unanswered: Case): Finding[] {
  const { conntrack } = pair.last.state;
  if (conntrack === undefined || conntrack.maximum <= 0) return [];
  const share = conntrack.count / conntrack.maximum;
  if (share < CONNTRACK_FULL) return [];
  const subject = place(pair, context);
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
          `${conntrack.count} of ${conntrack.maximum} entries are in use${isFailing ? `, and ${unanswered.cases} connections got no response to the SYN` : ''}`,
          isFailing ? 'code == "TCP_NO_ANSWER"' : undefined,
        ),
      ],
      next: 'Raise net.netfilter.nf_conntrack_max, or reuse connections so that fewer are open.',
      otherwise: isFailing ? 'the servers do not respond for another reason' : undefined,
      cases: Math.max(1, unanswered.cases),
      attempts: Math.max(1, unanswered.cases),
    },
  ];
}

/** The pod or node whose namespace it is: the interface's name without the interface. */
function place({ interfaceId }: StatePair, context: FindingContext): string {
  return context.interfaceName(interfaceId)?.replace(/\/[^/]*$/, '') || `interface ${interfaceId}`;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
