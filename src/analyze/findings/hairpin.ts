import { FINDING_SUBJECTS } from '../limits.ts';
import { Cases } from './cases.ts';
import { type DetectorKind, serverIdentity } from './detector.ts';
import type { Finding } from './finding.ts';
import { counted } from './words.ts';

/** So many connections without an answer: fewer may have met a pod that was going. */
const LEAST_FAILED = 3;

/**
 * A pod of a Service that reaches the Service's other pods through it, and not itself: the node does not send packets back
 * through the port that they came from (hairpin mode of the bridge or of the CNI plugin), or drops them. Which of the two,
 * packets at the pod do not prove. After a bridge without hairpin mode a repeated SYN goes to the same pod again, as connection
 * tracking remembers the translation; one that succeeds was translated anew: the first was dropped before that.
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
          const repeated = late.get(subject) ?? 0;
          found.push({
            code: 'HAIRPIN_FAILS',
            severity: 'error',
            confidence: repeated === 0 ? 'likely' : 'hint',
            subject,
            message: `A pod of ${subject} does not always reach its own Service: ${counted(one.cases, 'connection')} of ${pods[0]} got no response to the SYN, probably those that the Service sends back to the same pod.`,
            evidence: [
              one.evidence(
                `${pods[0]} is a pod of ${subject}; its other connections to the Service succeeded${laterText(repeated)}`,
                'code == "TCP_NO_ANSWER"',
              ),
            ],
            next: nextStep(pods[0] ?? 'the pod', repeated > 0),
            otherwise:
              repeated === 0
                ? 'a rule on the node (nft, iptables, network policy) drops packets from the pod to itself, or another pod of the Service does not answer'
                : 'a rule on the node (nft, iptables, network policy) drops these packets: then a repeated SYN goes to another pod and succeeds, which it does not where only hairpin mode is off',
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

/** What tells the causes apart, the likelier one first; only then what to change. */
function nextStep(pod: string, isRule: boolean): string {
  const rules = 'look for rules that drop packets from the pod to itself (nft list ruleset, iptables-save)';
  const mode = `read hairpin_mode of the pod's bridge port (/sys/class/net/VETH/brport/hairpin_mode); if it is 0, turn on hairpin mode in the CNI plugin (bridge plugin: "hairpinMode": true)`;
  return `On the node of ${pod}, first ${isRule ? rules : mode}; then ${isRule ? mode : rules}. conntrack -L -s POD-ADDRESS lists the connections without a response as [UNREPLIED].`;
}

/** A repeated SYN may be sent to another pod. */
function laterText(count = 0): string {
  return count === 0 ? '' : `, ${counted(count, 'connection')} only after the SYN was repeated`;
}
