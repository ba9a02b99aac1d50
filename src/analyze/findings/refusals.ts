import type { Case } from './cases.ts';
import type { Finding } from './finding.ts';
import { examplesOf, type ServiceName, serviceParts, share, span, traceOf } from './words.ts';

/** So few refusals may be of a program that is starting. */
const FEW_REFUSALS = 3;

/** Who sent an ICMP message in response to a SYN. */
export interface Sender {
  readonly address: string;
  /** It is the address that the client wanted to reach. */
  readonly isServer: boolean;
}

/** A server whose only socket on a port is its pod's own. */
export function listensOnLoopback(subject: string, one: Case, port: number): Finding {
  return {
    code: 'POD_LISTENS_ON_LOOPBACK',
    severity: 'error',
    confidence: 'proven',
    subject,
    message: `${subject} listens on port ${port} only on a loopback address: ${share(one, 'connection')} got a reset.`,
    evidence: [
      one.evidence(
        `${examplesOf(one)} got the reset; the only socket that listens on port ${port} has a loopback address`,
        'code == "TCP_REFUSED"',
      ),
    ],
    next: 'Let the program listen on 0.0.0.0 or ::, not on 127.0.0.1 or localhost.',
    otherwise: undefined,
    cases: one.cases,
    attempts: one.attempts,
  };
}

/** What else is known of refused connections. */
export interface Refusals {
  /** Resets that were seen to leave the server's pod. */
  readonly sent: Case;
  /** Later connections succeeded. */
  readonly isOver: boolean;
  /** No socket of the pod listens on the port. */
  readonly isClosed: boolean;
  readonly port: number;
}

/** A server that resets connections. */
export function notListening(subject: string, one: Case, { sent, isOver, isClosed, port }: Refusals): Finding {
  const isSent = sent.cases > 0;
  const pods = isSent ? [sent.evidence(`the reset left ${examplesOf(sent)}`)] : [];
  const closed = isClosed ? `; no socket of the pod listens on port ${port}` : '';
  return {
    code: 'POD_NOT_LISTENING',
    severity: isOver ? 'information' : one.cases < FEW_REFUSALS ? 'warning' : 'error',
    confidence: isClosed ? 'proven' : 'likely',
    subject,
    message: `${subject} refuses connections: ${share(one, 'connection')} got a reset in response to the SYN.`,
    evidence: [one.evidence(`${examplesOf(one)} got the reset${closed}`, 'code == "TCP_REFUSED"'), ...pods],
    next: 'Look at the logs of the server: does it listen on this port, and not on 127.0.0.1 alone?',
    otherwise: doubt(isOver, isClosed, isSent),
    cases: one.cases,
    attempts: one.attempts,
  };
}

function doubt(isOver: boolean, isClosed: boolean, isSent: boolean): string | undefined {
  if (isOver) return 'the server was starting: later connections succeeded';
  if (isClosed) return undefined;
  return isSent
    ? 'the server is starting, or refuses connections by a rule in its pod'
    : 'the server is starting, or something on the way sends the reset, such as a firewall';
}

/** Resets that a server's pod did not send. @param service the server, where it is one */
export function resetOnPath(subject: string, one: Case, service: ServiceName | undefined): Finding {
  return {
    code: 'CONNECT_REJECTED_ON_PATH',
    severity: 'error',
    confidence: 'likely',
    subject,
    message: `Something between the clients and ${subject} resets connections: ${share(one, 'connection')} got a reset that the pod did not send.`,
    evidence: [one.evidence(`the SYN was not seen at ${examplesOf(one)}`)],
    next: `Look at the network policies and firewalls between them. To see the last place that saw the SYN: ${traceOf(service)}`,
    otherwise: 'the capture at the pod began later, or missed packets',
    cases: one.cases,
    attempts: one.cases,
  };
}

const REJECTIONS = 'code == "TCP_REFUSED" && label.contains("ICMP")';

/** A Service without an endpoint that is ready. */
export function noEndpoints(subject: string, one: Case): Finding {
  const parts = serviceParts(subject);
  return {
    code: 'SERVICE_NO_ENDPOINTS',
    severity: 'error',
    confidence: 'likely',
    subject,
    message: `${subject} has no endpoint that is ready: ${share(one, 'connection')} got an ICMP rejection.`,
    evidence: [one.evidence(`${examplesOf(one)} got the rejection`, REJECTIONS)],
    next:
      parts === undefined
        ? 'Look at whether the pods of the Service are ready.'
        : `kubectl get endpointslices -n ${parts.namespace} -l kubernetes.io/service-name=${parts.name}`,
    otherwise: 'a firewall rejects the connections',
    cases: one.cases,
    attempts: one.attempts,
  };
}

/** A host that rejects connections by ICMP. @param sender who sent the ICMP message; undefined where that was not seen */
export function rejectedOnPath(subject: string, one: Case, sender: Sender | undefined): Finding {
  const isOther = sender !== undefined && !sender.isServer;
  return {
    code: 'CONNECT_REJECTED_ON_PATH',
    severity: 'error',
    confidence: isOther ? 'proven' : 'likely',
    subject,
    message: isOther
      ? `${sender.address} rejects connections to ${subject}: ${share(one, 'connection')} got an ICMP message from it in response to the SYN.`
      : `A firewall rejects connections to ${subject}: ${share(one, 'connection')} got an ICMP message in response to the SYN.`,
    evidence: [one.evidence(`${examplesOf(one)} got the message`, REJECTIONS)],
    next: `Look at the firewall rules and network policies of ${sender?.address ?? 'the host that sent the ICMP message'}.`,
    otherwise: isOther ? undefined : 'nothing listens on that port',
    cases: one.cases,
    attempts: one.attempts,
  };
}

/** Below this share a server answers nearly always. */
const RARE = 0.01;

/** What a rollout does to a few connections. */
const PODS_GONE =
  'pods ended before the nodes stopped sending connections to them (a rollout: a preStop delay avoids it), or packets are dropped on the way';

/** What else is known of SYNs without a response. */
export interface Silence {
  /** Packets of both directions were captured, of whatever connection. */
  readonly isSeenBothWays: boolean;
  /** SYNs that were seen at the server's pod. */
  readonly arrived: Case;
  /** That pod is captured, and the SYNs of others were not seen there. */
  readonly isCaptured: boolean;
  /** The server, where it is one. */
  readonly service: ServiceName | undefined;
}

/** A server that does not answer. */
export function noAnswer(
  subject: string,
  one: Case,
  { isSeenBothWays, arrived, isCaptured, service }: Silence,
): Finding {
  const hasArrived = arrived.cases > 0;
  const where = hasArrived
    ? [arrived.evidence(`the SYN arrived at ${examplesOf(arrived)}`)]
    : isCaptured
      ? [one.evidence('the SYN was not seen at the pod, which is captured')]
      : [];
  const isRare = one.cases < one.attempts * RARE;
  return {
    code: 'CONNECT_TIMEOUT',
    severity: isRare ? 'warning' : 'error',
    confidence: isSeenBothWays ? 'proven' : 'likely',
    subject,
    message: `${subject} does not ${one.cases < one.attempts ? 'always ' : ''}answer: ${share(one, 'connection')} got no response to the SYN.`,
    evidence: [
      one.evidence(`${examplesOf(one)} retransmitted the SYN for up to ${span(one.most)}`, 'code == "TCP_NO_ANSWER"'),
      ...where,
    ],
    next: captureBoth(service, hasArrived),
    otherwise: isRare && !hasArrived ? PODS_GONE : silenceCause(hasArrived, one.cases < one.attempts),
    cases: one.cases,
    attempts: one.attempts,
  };
}

/** @param hasArrived the SYN was seen at the pod @param isPartial other connections are answered */
function silenceCause(hasArrived: boolean, isPartial: boolean): string {
  if (hasArrived) return 'the accept queue of the server is full, or a firewall rule in its pod drops the packets';
  return isPartial
    ? 'the accept queue of the server is full, one of its pods is gone, or packets are dropped on the way'
    : 'the server is gone, a network policy or firewall drops the packets, or the route is broken';
}

/** How to see on which side the packets are lost. */
function captureBoth(service: ServiceName | undefined, hasArrived: boolean): string {
  if (hasArrived)
    return 'Look at the load of the server, at the backlog of listen(), and at firewall rules in its pod.';
  if (service === undefined) return 'Capture at the server too, to see whether the SYN arrives there.';
  return `To see whether the SYN arrives at the pods: ${traceOf(service)}. To list the policies: kubectl get networkpolicy -n ${service.namespace}`;
}
