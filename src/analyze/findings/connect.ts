import type { FlowFacts } from '../flow/flow-facts.ts';
import { FINDING_SUBJECTS } from '../limits.ts';
import { fieldsIn, textIn } from '../record/field-values.ts';
import { type Case, Cases } from './cases.ts';
import { clientOf, type DetectorKind, listeningState, serverIdentity, serverOf } from './detector.ts';
import type { Finding } from './finding.ts';
import { listed, serviceParts, share, span } from './words.ts';

/** SYNs of one connection that nothing answers, or so many such connections, make a case: a capture may end before an answer. */
const UNANSWERED_SYNS = 3;
const UNANSWERED_CONNECTIONS = 2;

/** A client that fails at so many servers looks for open ports: it expects to fail. */
const SCANNED_SERVERS = 20;

/** So few refusals may be of a program that is starting. */
const FEW_REFUSALS = 3;

/** Who sent an ICMP message in response to a SYN. */
interface Sender {
  readonly address: string;
  /** It is the address that the client wanted to reach. */
  readonly isServer: boolean;
}

/** Connections that do not come up: unanswered, refused by the pod, rejected on the way to a Service. */
export const connect: DetectorKind = {
  codes: [
    'CONNECT_REJECTED_ON_PATH',
    'CONNECT_TIMEOUT',
    'POD_LISTENS_ON_LOOPBACK',
    'POD_NOT_LISTENING',
    'SERVICE_NO_ENDPOINTS',
  ],
  explains: {
    SERVICE_NO_ENDPOINTS: ['CONNECT_TIMEOUT', 'POD_NOT_LISTENING'],
    CONNECT_REJECTED_ON_PATH: ['CONNECT_TIMEOUT'],
  },
  create: (context) => {
    const unanswered = new Cases();
    const refused = new Cases();
    const rejected = new Cases();
    const all = [unanswered, refused, rejected];
    /** Whether the rejected address is a Service's own. */
    const services = new Set<string>();
    /** By subject: who sent the last ICMP message. */
    const senders = new Map<string, Sender>();
    /** By client: at which servers it failed. */
    const failedAt = new Map<string, Set<string>>();
    /** Some connection was seen in both directions: without, answers may take a way that is not captured. */
    let hasBothDirections = false;
    /** By subject: when a connection last succeeded, and whether any SYN was sent often enough without an answer. */
    const succeeded = new Map<string, number>();
    const insistent = new Set<string>();
    /** Ports to which connections over loopback succeeded: a client tries ::1 and 127.0.0.1 in turn. */
    const loopbackPorts = new Set<number>();
    const portOf = new Map<string, number>();
    /** Of a server that refused: a connection that reached the server itself. */
    const refusedAt = new Map<string, FlowFacts>();
    const isScan = (one: Case) =>
      one.frequent().every((client) => (failedAt.get(client)?.size ?? 0) >= SCANNED_SERVERS);
    const add = (cases: Cases, facts: FlowFacts, subject: string) => {
      const client = clientOf(context, facts, facts.first);
      cases.of(subject).add(facts.id, facts.first, client);
      const servers = failedAt.get(client) ?? new Set();
      if (failedAt.size < FINDING_SUBJECTS) failedAt.set(client, servers);
      if (servers.size < SCANNED_SERVERS) servers.add(`${subject} ${facts.serverPort}`);
      if (portOf.size < FINDING_SUBJECTS) portOf.set(subject, facts.serverPort);
    };
    return {
      event: (event, flow) => {
        if (event.kind === 'exchange' && event.responseTime !== undefined) hasBothDirections = true;
        if (event.kind !== 'event' || event.code !== 'TCP_REFUSED') return;
        const address = textIn(fieldsIn(event.fields.icmp)?.from);
        if (address === '' || senders.size >= FINDING_SUBJECTS) return;
        const isServer = address === context.hosts.text(flow.serverHost);
        senders.set(serverOf(context, flow, event.time), { address, isServer });
      },
      flowEnded: (facts) => {
        const { tcp } = facts;
        if (tcp === undefined) return;
        if (facts.client.packets > 0 && facts.server.packets > 0) hasBothDirections = true;
        if (tcp.midstream) return;
        const subject = serverOf(context, facts, facts.first);
        for (const cases of all) cases.of(subject).attempts += 1;
        // One SYN at the end of a capture may be answered later.
        if (tcp.state === 'unanswered' && tcp.syns > 1) {
          add(unanswered, facts, subject);
          unanswered.of(subject).measure(tcp.synSpan ?? 0);
          if (tcp.syns >= UNANSWERED_SYNS && insistent.size < FINDING_SUBJECTS) insistent.add(subject);
        } else if (tcp.state === 'refused' && tcp.resetBy === 'server') {
          add(refused, facts, subject);
          if (refusedAt.size < FINDING_SUBJECTS) refusedAt.set(subject, facts);
        } else if (tcp.state === 'refused') {
          add(rejected, facts, subject);
          const identity = serverIdentity(context, facts, facts.first);
          if (identity?.service !== undefined && identity.pod === undefined) services.add(subject);
        } else if (facts.server.packets > 0) {
          if (succeeded.size < FINDING_SUBJECTS || succeeded.has(subject)) succeeded.set(subject, facts.first);
          if (isLoopback(context.hosts.text(facts.serverHost))) loopbackPorts.add(facts.serverPort);
        }
      },
      findings: () => {
        const found: Finding[] = [];
        for (const [subject, one] of unanswered.counting()) {
          if (!insistent.has(subject) && one.cases < UNANSWERED_CONNECTIONS) continue;
          if (isScan(one)) continue;
          found.push({
            code: 'CONNECT_TIMEOUT',
            severity: 'error',
            confidence: hasBothDirections ? 'proven' : 'likely',
            subject,
            message: `${subject} does not answer: ${share(one, 'connection')} got no response to the SYN.`,
            evidence: [
              one.evidence(
                `SYNs of ${listed(one.frequent())} were sent again for up to ${span(one.most)} without a response`,
                `code == "TCP_NO_ANSWER"`,
              ),
            ],
            next: captureBoth(subject),
            otherwise: 'the server is gone, a network policy or firewall drops the packets, or the route is broken',
            cases: one.cases,
            attempts: one.attempts,
          });
        }
        for (const [subject, one] of refused.counting()) {
          if (isScan(one)) continue;
          if (subject.startsWith('[::1]:') && loopbackPorts.has(portOf.get(subject) ?? 0)) continue;
          const isOver = (succeeded.get(subject) ?? Number.NEGATIVE_INFINITY) > one.last;
          const reached = refusedAt.get(subject);
          const listening = reached && listeningState(context, reached, reached.first);
          if (listening === 'loopback') {
            const port = portOf.get(subject);
            found.push({
              code: 'POD_LISTENS_ON_LOOPBACK',
              severity: 'error',
              confidence: 'proven',
              subject,
              message: `${subject} listens on port ${port} for its own pod alone: ${share(one, 'connection')} got a reset.`,
              evidence: [
                one.evidence(
                  `${listed(one.frequent())} got the reset; the only socket that listens on port ${port} has a loopback address`,
                  'code == "TCP_REFUSED"',
                ),
              ],
              next: 'Let the program listen on 0.0.0.0 or ::, not on 127.0.0.1 or localhost.',
              otherwise: undefined,
              cases: one.cases,
              attempts: one.attempts,
            });
            continue;
          }
          const isClosed = listening === 'closed' && !isOver;
          found.push({
            code: 'POD_NOT_LISTENING',
            severity: isOver ? 'information' : one.cases < FEW_REFUSALS ? 'warning' : 'error',
            confidence: isClosed ? 'proven' : 'likely',
            subject,
            message: `${subject} refuses connections: ${share(one, 'connection')} got a reset in response to the SYN.`,
            evidence: [
              one.evidence(
                `${listed(one.frequent())} got the reset${isClosed ? `; no socket of the pod listens on port ${portOf.get(subject)}` : ''}`,
                'code == "TCP_REFUSED"',
              ),
            ],
            next: 'Look at the logs of the server: does it listen on this port, and not on 127.0.0.1 alone?',
            otherwise: isOver
              ? 'the server was starting: later connections succeeded'
              : isClosed
                ? undefined
                : 'the server is starting, or something on the way sends the reset, such as a firewall',
            cases: one.cases,
            attempts: one.attempts,
          });
        }
        for (const [subject, one] of rejected.counting()) {
          found.push(
            services.has(subject) ? noEndpoints(subject, one) : rejectedOnPath(subject, one, senders.get(subject)),
          );
        }
        return found;
      },
    };
  },
};

const REJECTIONS = 'code == "TCP_REFUSED" && label.contains("ICMP")';

function noEndpoints(subject: string, one: Case): Finding {
  const parts = serviceParts(subject);
  return {
    code: 'SERVICE_NO_ENDPOINTS',
    severity: 'error',
    confidence: 'likely',
    subject,
    message: `${subject} has no endpoint that is ready: ${share(one, 'connection')} got an ICMP rejection.`,
    evidence: [one.evidence(`${listed(one.frequent())} got the rejection`, REJECTIONS)],
    next:
      parts === undefined
        ? 'Look at whether the pods of the Service are ready.'
        : `kubectl get endpointslices -n ${parts.namespace} -l kubernetes.io/service-name=${parts.name}`,
    otherwise: 'a firewall rejects the connections',
    cases: one.cases,
    attempts: one.attempts,
  };
}

/** @param sender who sent the ICMP message; undefined where that was not seen */
function rejectedOnPath(subject: string, one: Case, sender: Sender | undefined): Finding {
  const isOther = sender !== undefined && !sender.isServer;
  return {
    code: 'CONNECT_REJECTED_ON_PATH',
    severity: 'error',
    confidence: isOther ? 'proven' : 'likely',
    subject,
    message: isOther
      ? `${sender.address} rejects connections to ${subject}: ${share(one, 'connection')} got an ICMP message from it in response to the SYN.`
      : `A firewall rejects connections to ${subject}: ${share(one, 'connection')} got an ICMP message in response to the SYN.`,
    evidence: [one.evidence(`${listed(one.frequent())} got the message`, REJECTIONS)],
    next: `Look at the firewall rules and network policies of ${sender?.address ?? 'the host that sent the ICMP message'}.`,
    otherwise: isOther ? undefined : 'nothing listens on that port',
    cases: one.cases,
    attempts: one.attempts,
  };
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

/** How to see on which side the packets are lost. */
function captureBoth(subject: string): string {
  const parts = serviceParts(subject);
  if (parts === undefined) return `Capture at the server too, to see whether the SYN arrives there.`;
  return `ksnoop trace svc/${parts.name} -n ${parts.namespace} shows whether the SYN arrives at the pods; kubectl get networkpolicy -n ${parts.namespace}`;
}
