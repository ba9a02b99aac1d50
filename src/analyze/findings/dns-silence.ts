import type { FlowIdentity } from '../flow/flow-facts.ts';
import { isToMany } from '../identity/shared-address.ts';
import { FINDING_SUBJECTS } from '../limits.ts';
import type { AnalysisEvent } from '../record/event.ts';
import { fieldsIn, textIn } from '../record/field-values.ts';
import { Cases } from './cases.ts';
import { clientOf, type DetectorContext, serviceNamed } from './detector.ts';
import type { Finding } from './finding.ts';
import { counted, examplesOf, grouped, share } from './words.ts';

/** So many queries, repeated ones counted, must have been sent in vain: one may be lost. */
const SENT_QUERIES = 3;
/** Without a response in the whole capture: so many of them are repetitions, by which clients show that they got none either. */
const REPEATED_QUERIES = 2;
/** A server that answers others is reported only where it leaves this share without a response. */
const SILENT_SHARE = 0.1;

/** So many responses without their queries, for each query without a response: the capture misses packets. */
const UNSEEN_QUERIES = 3;
const UNSEEN_SHARE = 0.1;

const DNS_PORT = 53;

/** Questions whose repetition by a client is noticed. */
const QUESTIONS = 4096;

/** Queries without any response, and those that are rejected with ICMP: the server is gone, or cannot be reached. */
export class DnsSilence {
  readonly #context: DetectorContext;
  readonly #silent: Cases;
  readonly #rejected: Cases;
  /** By server: queries sent in vain, and those of them that were repetitions. */
  readonly #sent = new Map<string, { all: number; repeated: number }>();
  readonly #questions = new Set<string>();
  /** Flows with a rejection: their queries count once. */
  readonly #rejectedFlows = new Set<number>();
  /** Responses without their queries: such a capture has holes. */
  #unseen = 0;
  #queries = 0;

  constructor(context: DetectorContext) {
    this.#context = context;
    this.#silent = new Cases(context.bounds);
    this.#rejected = new Cases(context.bounds);
  }

  /** An exchange of DNS, or an ICMP message about any flow. @param server as serverOf has it */
  event(event: AnalysisEvent, flow: FlowIdentity, server: string): void {
    if (event.kind === 'event') {
      if (event.code !== 'ICMP_UNREACHABLE' || flow.serverPort !== DNS_PORT || flow.transport !== 'udp') return;
      if (this.#rejectedFlows.size < QUESTIONS) this.#rejectedFlows.add(flow.id);
      this.#rejected.of(server).add(flow.id, event.time, clientOf(this.#context, flow, event.time));
      return;
    }
    if (event.kind !== 'exchange') return;
    if (event.incomplete === 'request not seen') this.#unseen += 1;
    if (event.incomplete !== 'no response' && event.incomplete !== 'timed out') return;
    if (event.responseTime !== undefined || this.#rejectedFlows.has(flow.id)) return;
    // Whoever is asked by multicast (mDNS, LLMNR) answers only where the name is its own.
    if (isToMany(this.#context.hosts.text(flow.serverHost))) return;
    const fields = fieldsIn(event.fields.dns);
    const question = `${flow.clientHost} ${textIn(fields?.type)} ${textIn(fields?.name)}`;
    const repeats = Number(fields?.retransmissions ?? 0) + (this.#questions.has(question) ? 1 : 0);
    if (this.#questions.size < QUESTIONS) this.#questions.add(question);
    this.#queries += 1;
    this.#silent.of(server).add(flow.id, event.time, clientOf(this.#context, flow, event.time));
    const sent = this.#sent.get(server) ?? { all: 0, repeated: 0 };
    sent.all += 1 + Number(fields?.retransmissions ?? 0);
    sent.repeated += repeats;
    if (this.#sent.size < FINDING_SUBJECTS) this.#sent.set(server, sent);
  }

  /** DNS_FAILS of servers that do not respond. */
  findings(): Finding[] {
    const { tallies } = this.#context;
    const found: Finding[] = [];
    const rejecting = new Set<string>();
    for (const [subject, one] of this.#rejected.all()) {
      if (one.cases < SENT_QUERIES) continue;
      one.attempts = Math.max(one.cases, tallies.of(subject)?.exchanges ?? 0);
      rejecting.add(subject);
      found.push({
        code: 'DNS_FAILS',
        severity: 'error',
        confidence: 'proven',
        subject,
        message: `The DNS server ${subject} is not reachable: ${counted(one.cases, 'ICMP rejection')} came in response to ${grouped(one.attempts)} queries.`,
        evidence: [one.evidence(`${examplesOf(one)} got the rejection`, 'code == "ICMP_UNREACHABLE"')],
        next: this.#next(subject),
        otherwise: undefined,
        cases: one.cases,
        attempts: one.attempts,
      });
    }
    if (this.#unseen >= Math.max(UNSEEN_QUERIES, this.#queries * UNSEEN_SHARE)) return found;
    for (const [subject, one] of this.#silent.all()) {
      const sent = this.#sent.get(subject);
      if (sent === undefined || sent.all < SENT_QUERIES || rejecting.has(subject)) continue;
      if (!tallies.hasBothDirections && sent.repeated < REPEATED_QUERIES) continue;
      one.attempts = Math.max(one.cases, tallies.of(subject)?.exchanges ?? 0);
      const isAll = one.cases === one.attempts;
      if (!isAll && one.cases < Math.max(SENT_QUERIES, one.attempts * SILENT_SHARE)) continue;
      found.push({
        code: 'DNS_FAILS',
        severity: isAll ? 'error' : 'warning',
        confidence: isAll && tallies.hasBothDirections ? 'proven' : 'likely',
        subject,
        message: `The DNS server ${subject} does not respond: ${share(one, 'query')} got no response.`,
        evidence: [
          one.evidence(
            `${examplesOf(one)} sent ${grouped(sent.all)} queries without a response`,
            'protocol == "dns" && incomplete in ["no response", "timed out"]',
          ),
        ],
        next: this.#next(subject),
        otherwise: isAll
          ? 'the server is gone, a network policy or firewall drops the packets, or the responses take a way that is not captured'
          : 'packets are lost between them, or the server drops some queries on purpose (rate limit)',
        cases: one.cases,
        attempts: one.attempts,
      });
    }
    return found;
  }

  #next(subject: string): string {
    const service = serviceNamed(this.#context, subject);
    if (service === undefined) return `Check that ${subject} runs and can be reached: dig @ADDRESS NAME`;
    const { name, namespace } = service;
    return `kubectl get endpointslices -n ${namespace} -l kubernetes.io/service-name=${name}; kubectl get networkpolicy -A`;
  }
}
