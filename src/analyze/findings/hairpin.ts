import { FINDING_SUBJECTS } from '../limits.ts';
import { Cases } from './cases.ts';
import { type DetectorKind, serverIdentity } from './detector.ts';
import type { Finding } from './finding.ts';
import { counted } from './words.ts';

/** So many connections without an answer: fewer may have met a pod that was going. */
const LEAST_FAILED = 3;

/**
 * A pod of a Service that reaches the Service's other pods through it, and not itself: the node does not send packets back
 * through the port that they came from (hairpin mode of the bridge or of the CNI plugin).
 */
export const hairpin: DetectorKind = {
  codes: ['HAIRPIN_FAILS'],
  flows: 'named',
  explains: { HAIRPIN_FAILS: ['CONNECT_TIMEOUT'] },
  create: (context) => {
    const failed = new Cases(context.bounds);
    /** By Service: pods of it that had a connection to it, and those of which one succeeded. */
    const answered = new Map<string, Set<string>>();
    /** By Service: connections of its own pods that came up after their SYN was repeated. */
    const late = new Map<string, number>();
    /** Services that others could not reach either: then it is not the way back to the pod itself. */
    const unreachable = new Set<string>();
    return {
      flowEnded: (facts) => {
        const { tcp, id, first } = facts;
        if (tcp === undefined || tcp.midstream) return;
        const server = serverIdentity(context, facts, first);
        // The Service's own address: a pod that is named directly is reached without it.
        if (server?.service === undefined || server.pod !== undefined) return;
        const client = context.names.ofHost(facts.clientHost, first, facts.interfaceId);
        const isOwn = client?.pod !== undefined && client.group === server.group;
        const isUnanswered = tcp.state === 'unanswered' && tcp.syns > 1;
        if (!isOwn) {
          if (isUnanswered && unreachable.size < FINDING_SUBJECTS) unreachable.add(server.group);
          return;
        }
        const one = failed.of(server.group);
        one.attempts += 1;
        if (isUnanswered) one.add(id, first, client.text);
        else if (tcp.state !== 'unanswered') {
          const pods = answered.get(server.group) ?? new Set();
          if (answered.size < FINDING_SUBJECTS) answered.set(server.group, pods);
          if (pods.size < FINDING_SUBJECTS) pods.add(client.text);
          if (tcp.syns > 1) late.set(server.group, (late.get(server.group) ?? 0) + 1);
        }
      },
      findings: () => {
        const found: Finding[] = [];
        for (const [subject, one] of failed.counting()) {
          if (one.cases < LEAST_FAILED || unreachable.has(subject)) continue;
          const pods = one.frequent();
          // Without one that succeeded the Service may have no other pod, or none at all.
          if (!pods.some((pod) => answered.get(subject)?.has(pod))) continue;
          found.push({
            code: 'HAIRPIN_FAILS',
            severity: 'error',
            confidence: 'likely',
            subject,
            message: `A pod of ${subject} does not reach itself through its own Service: ${counted(one.cases, 'connection')} of ${pods[0]} got no response to the SYN.`,
            evidence: [
              one.evidence(
                `${pods[0]} is a pod of ${subject}; its other connections to the Service succeeded${laterText(late.get(subject))}`,
                'code == "TCP_NO_ANSWER"',
              ),
            ],
            next: 'Turn on hairpin mode in the CNI plugin (bridge plugin: "hairpinMode": true), then recreate the pods.',
            otherwise: 'another pod of the Service does not answer',
            cases: one.cases,
            // Of those that came up some are counted at the pod that they reached.
            attempts: one.cases,
          });
        }
        return found;
      },
    };
  },
};

/** A repeated SYN may be sent to another pod. */
function laterText(count = 0): string {
  return count === 0 ? '' : `, ${counted(count, 'connection')} only after the SYN was repeated`;
}
