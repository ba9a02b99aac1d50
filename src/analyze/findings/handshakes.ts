import type { FlowFacts } from '../flow/flow-facts.ts';
import { FINDING_SUBJECTS } from '../limits.ts';
import { Cases } from './cases.ts';
import { clientOf, type DetectorKind, serverIdentity, serverOf } from './detector.ts';
import type { Finding } from './finding.ts';
import { counted, examplesOf, share } from './words.ts';

/** A packet that a client reset although it had a connection through a Service with that port. */
interface Stray {
  readonly id: number;
  readonly time: number;
  /** The client's address and port, and the Service that the sender belongs to. */
  readonly key: string;
  readonly sender: string;
}

/** Connections and packets that meet the state of another connection, or none. */
export const handshakes: DetectorKind = {
  codes: ['CONNTRACK_INVALID_RESET', 'PORT_REUSE_COLLISION'],
  flows: 'named',
  create: (context) => {
    const reused = new Cases(context.bounds);
    const strays: Stray[] = [];
    /** By client address, port and Service: connections through the Service's own address. */
    const throughService = new Set<string>();
    const keyOf = ({ clientHost, clientPort }: FlowFacts, group: string) => `${clientHost} ${clientPort} ${group}`;
    return {
      flowEnded: (facts) => {
        const { tcp, waits, id, first } = facts;
        if (tcp === undefined) return;
        const identity = serverIdentity(context, facts, first);
        if (tcp.midstream) {
          if (isStray(facts) && identity?.service !== undefined && strays.length < FINDING_SUBJECTS)
            strays.push({ id, time: first, key: keyOf(facts, identity.group), sender: identity.text });
          return;
        }
        if (
          identity?.service !== undefined &&
          identity.pod === undefined &&
          throughService.size < 64 * FINDING_SUBJECTS
        )
          throughService.add(keyOf(facts, identity.group));
        if (waits?.portReused)
          reused.of(serverOf(context, facts, first)).add(id, first, clientOf(context, facts, first));
      },
      findings: () => {
        const found: Finding[] = [];
        reused.attemptsOf((subject) => context.tallies.of(subject)?.connections);
        for (const [subject, one] of reused.counting()) {
          found.push({
            code: 'PORT_REUSE_COLLISION',
            severity: 'warning',
            confidence: 'likely',
            subject,
            message: `Connections to ${subject} collide with earlier ones on the same ports: ${share(one, 'connection')} got an ACK of another connection in response to the SYN, and had to send it again.`,
            evidence: [one.evidence(`${examplesOf(one)} reset that ACK`)],
            next: 'Have the client reuse its connections, or use more addresses where a NAT shares one.',
            otherwise: 'the client was restarted, and the server still held its old connections',
            cases: one.cases,
            attempts: one.attempts,
          });
        }
        const invalid = new Cases(context.bounds);
        for (const { id, time, key, sender } of strays) {
          if (throughService.has(key)) invalid.of(key.slice(key.lastIndexOf(' ') + 1)).add(id, time, sender);
        }
        for (const [subject, one] of invalid.all()) {
          found.push({
            code: 'CONNTRACK_INVALID_RESET',
            severity: 'warning',
            confidence: 'proven',
            subject,
            message: `Connections to ${subject} are reset because a packet came from the pod's own address: ${counted(one.cases, 'connection')}, from ${examplesOf(one)}.`,
            evidence: [one.evidence('the node did not translate the packet, and the client reset it')],
            next: 'Set net.netfilter.nf_conntrack_tcp_be_liberal to 1 on the nodes.',
            otherwise: undefined,
            cases: one.cases,
            attempts: one.cases,
          });
        }
        return found;
      },
    };
  },
};

/** A connection of which nothing was seen but packets of the server and resets in response. */
function isStray({ tcp, client, server }: FlowFacts): boolean {
  return (
    tcp?.resetBy === 'client' &&
    tcp.closedBy === undefined &&
    client.payload === 0 &&
    client.packets === 1 &&
    server.packets > 0
  );
}
