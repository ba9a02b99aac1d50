import { FINDING_SUBJECTS } from '../limits.ts';
import { Case, Cases } from './cases.ts';
import { type DetectorKind, serverIdentity } from './detector.ts';
import type { Finding } from './finding.ts';
import { counted } from './words.ts';

/** So many connections without an answer: fewer may have met a pod that was going. */
const LEAST_FAILED = 3;

/**
 * Connections that come up with a repeated SYN count with them where they are this share of all, for one pod of ten is the client
 * itself; and where connections of other clients need it less often by this factor, for loss meets all.
 */
const LATE_SHARE = 0.1;
const TIMES_OTHERS = 4;

/** Connections to one Service from its own pods, and from others. */
class Attempts {
  own = 0;
  others = 0;
  othersLate = 0;
  /** A client that is no pod of it got no answer: then it is not the way back to the pod itself. */
  isUnreachable = false;
  /** Own connections that came up after their SYN was repeated. */
  readonly late = new Case();
  /** Pods of it of which a connection succeeded. */
  readonly answered = new Set<string>();

  /** Whether so many own connections need a repeated SYN that loss does not explain it. */
  isLate(failed: number): boolean {
    const all = failed + this.late.cases;
    if (all < LEAST_FAILED || all < this.own * LATE_SHARE) return false;
    return this.othersLate * this.own * TIMES_OTHERS <= all * this.others;
  }
}

/**
 * A pod of a Service that reaches the Service's other pods through it, and not itself: the node does not send packets back
 * through the port that they came from (hairpin mode of the bridge or of the CNI plugin), or a rule on the node drops them. Which
 * of the two, packets do not prove. A Linux bridge without hairpin mode drops the SYN before connection tracking keeps its
 * translation: a repeated SYN is translated anew and may reach another pod.
 */
export const hairpin: DetectorKind = {
  codes: ['HAIRPIN_FAILS'],
  flows: 'named',
  explains: { HAIRPIN_FAILS: ['CONNECT_TIMEOUT'] },
  create: (context) => {
    const failed = new Cases(context.bounds);
    const services = new Map<string, Attempts>();
    return {
      flowEnded: (facts) => {
        const { tcp, id, first } = facts;
        if (tcp === undefined || tcp.midstream) return;
        const server = serverIdentity(context, facts, first);
        // The Service's own address: a pod that is named directly is reached without it.
        if (server?.service === undefined || server.pod !== undefined) return;
        const service = services.get(server.group) ?? new Attempts();
        if (services.size < FINDING_SUBJECTS) services.set(server.group, service);
        const client = context.names.ofHost(facts.clientHost, first, facts.interfaceId);
        const isUnanswered = tcp.state === 'unanswered';
        const isRepeated = tcp.syns > 1;
        if (client?.pod === undefined || client.group !== server.group) {
          service.others += 1;
          if (isUnanswered && isRepeated) service.isUnreachable = true;
          else if (isRepeated) service.othersLate += 1;
          return;
        }
        const one = failed.of(server.group);
        one.attempts += 1;
        service.own += 1;
        if (isUnanswered && isRepeated) one.add(id, first, client.text);
        else if (!isUnanswered) {
          if (service.answered.size < FINDING_SUBJECTS) service.answered.add(client.text);
          if (isRepeated) service.late.add(id, first, client.text);
        }
      },
      findings: () => {
        const found: Finding[] = [];
        for (const [subject, one] of failed.all()) {
          const service = services.get(subject);
          if (service === undefined || service.isUnreachable) continue;
          const { late } = service;
          if (one.cases < LEAST_FAILED && !service.isLate(one.cases)) continue;
          const pods = one.cases > 0 ? one.frequent() : late.frequent();
          // Without one that succeeded the Service may have no other pod, or none at all.
          if (!pods.some((pod) => service.answered.has(pod))) continue;
          const [pod = 'the pod'] = pods;
          const cases = one.cases + late.cases;
          found.push({
            code: 'HAIRPIN_FAILS',
            severity: 'error',
            // Lost packets may be the reason of a repeated SYN too.
            confidence: late.cases === 0 ? 'likely' : 'hint',
            subject,
            message: `A pod of ${subject} does not always reach its own Service: ${whatFails(pod, one.cases, late.cases)}, probably those that the Service sends back to the same pod.`,
            evidence: [
              ...(one.cases === 0
                ? []
                : [one.evidence(`${pod} is a pod of ${subject}, and got no response`, 'code == "TCP_NO_ANSWER"')]),
              ...(late.cases === 0 ? [] : [late.evidence(`the SYN was repeated until it was answered`)]),
            ],
            next: `On the node of ${pod}: read hairpin_mode of the pod's bridge port (/sys/class/net/VETH/brport/hairpin_mode), and look for rules that drop packets from the pod to itself (nft list ruleset, iptables-save). Only if hairpin_mode is 0, turn on hairpin mode in the CNI plugin (bridge plugin: "hairpinMode": true).`,
            otherwise: `a rule on the node (nft, iptables, network policy) drops the packets, or another pod of the Service does not answer${late.cases === 0 ? '' : ', or packets are lost'}`,
            cases,
            // Of those that came up some are counted at the pod that they reached.
            attempts: cases,
          });
        }
        return found;
      },
    };
  },
};

function whatFails(pod: string, failed: number, late: number): string {
  const lateText = `${counted(late, 'connection')}${failed > 0 ? '' : ` of ${pod}`} came up only with a repeated SYN`;
  if (failed === 0) return lateText;
  const failedText = `${counted(failed, 'connection')} of ${pod} got no response to the SYN`;
  return late === 0 ? failedText : `${failedText} and ${lateText}`;
}
