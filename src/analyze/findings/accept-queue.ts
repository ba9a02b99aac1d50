import type { FlowFacts } from '../flow/flow-facts.ts';
import { FINDING_SUBJECTS } from '../limits.ts';
import { growth, type StatePair } from '../state/network-states.ts';
import { Cases } from './cases.ts';
import { type DetectorKind, type FindingContext, placeOf, serverIdentity, serverOf } from './detector.ts';
import { type Finding, withoutPackets } from './finding.ts';
import { UnansweredLegs } from './unanswered-legs.ts';
import { share } from './words.ts';

/** So many handshakes whose last ACK is ignored: a single one may have been lost behind the place of capture. */
const IGNORED_ACKS = 3;

/** What helps, whoever says so. */
const NEXT =
  'ss -ltn in the pod of the server: if Recv-Q stays above Send-Q its process does not accept at all (see what its threads do); else raise the backlog of listen() and net.core.somaxconn, or add pods.';

/** A server that accepts connections too slowly: the kernel drops the last ACK of handshakes, and counts that (net/ipv4/tcp_ipv4.c). */
export const acceptQueue: DetectorKind = {
  codes: ['ACCEPT_QUEUE_FULL'],
  explains: { ACCEPT_QUEUE_FULL: ['CONNECT_TIMEOUT'] },
  create: (context) => {
    const ignored = new Cases(context.bounds);
    /** By server: its pod. */
    const pods = new Map<string, string>();
    const legs = new UnansweredLegs();
    /** By pod: the server to which SYNs that arrived there were sent, without a response. */
    const unanswered = new Map<string, string>();
    return {
      flowEnded: (facts) => {
        const { tcp, waits, id, first } = facts;
        if (tcp === undefined || tcp.midstream) return;
        if (tcp.state === 'unanswered') {
          const own = serverOf(context, facts, first);
          const subject = legs.earlier(facts, own) ?? own;
          const place = placeOf(context, facts.interfaceId);
          if (unanswered.size < FINDING_SUBJECTS && isAtServer(context, facts)) unanswered.set(place, subject);
          return;
        }
        if (!waits?.synAckAgain) return;
        const server = serverOf(context, facts, first);
        ignored.of(server).add(id, first);
        const pod = serverIdentity(context, facts, first)?.text;
        if (pod !== undefined && pods.size < FINDING_SUBJECTS) pods.set(server, pod);
      },
      findings: () => {
        const full = context.states.pairs().filter((pair) => overflows(pair) > 0);
        const proven = new Set(full.map(({ interfaceId }) => placeOf(context, interfaceId)));
        const found = full.map((pair) => overflowed(pair, context, unanswered));
        ignored.attemptsOf((subject) => context.tallies.of(subject)?.connections);
        for (const [subject, one] of ignored.counting()) {
          if (one.cases < IGNORED_ACKS || proven.has(pods.get(subject) ?? subject)) continue;
          found.push({
            code: 'ACCEPT_QUEUE_FULL',
            severity: 'error',
            confidence: 'likely',
            subject,
            message: `${subject} does not accept connections fast enough: ${share(one, 'connection')} got the SYN-ACK again after the client's ACK and data.`,
            evidence: [one.evidence('a server whose accept queue is full drops the last ACK of the handshake')],
            next: NEXT,
            otherwise: 'the ACK and the data were lost between the place of capture and the server',
            cases: one.cases,
            attempts: one.attempts,
          });
        }
        return found;
      },
    };
  },
};

/** The kernel's own count, of the namespace of one interface. */
function overflowed(pair: StatePair, context: FindingContext, unanswered: ReadonlyMap<string, string>): Finding {
  const count = overflows(pair);
  const place = placeOf(context, pair.interfaceId);
  const waiting = pair.last.state.listening?.filter(({ queue }) => queue > 0) ?? [];
  const [only] = waiting;
  const where = waiting.length === 1 && only !== undefined ? ` on port ${only.port}` : '';
  const times = count === 1 ? 'once' : `${count} times`;
  return {
    code: 'ACCEPT_QUEUE_FULL',
    severity: 'error',
    confidence: 'proven',
    subject: unanswered.get(place) ?? place,
    message: `${place} does not accept connections fast enough${where}: its accept queue was full ${times}.`,
    evidence: [
      withoutPackets(`the kernel's counter ListenOverflows rose by ${count} between the first and the last state`),
    ],
    next: NEXT,
    otherwise: undefined,
    cases: count,
    attempts: count,
  };
}

/** By how much the kernel's count of connections that found a full queue rose. */
function overflows(pair: StatePair): number {
  return growth(pair, 'TcpExt ListenOverflows') ?? 0;
}

/** Whether a connection was seen at the interface of its server's own pod. */
function isAtServer(context: FindingContext, facts: FlowFacts): boolean {
  const place = context.names.ofInterface(facts.interfaceId);
  const server = serverIdentity(context, facts, facts.first);
  if (place === undefined || server === undefined) return false;
  return place.pod === undefined ? place === server : place.pod === server.pod && place.namespace === server.namespace;
}
