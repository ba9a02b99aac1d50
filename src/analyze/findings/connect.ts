import type { FlowFacts, TcpFacts } from '../flow/flow-facts.ts';
import { FINDING_SUBJECTS } from '../limits.ts';
import { fieldsIn, textIn } from '../record/field-values.ts';
import { type Case, Cases } from './cases.ts';
import {
  clientOf,
  type DetectorContext,
  type DetectorKind,
  listeningState,
  serverIdentity,
  serverOf,
  serviceNamed,
} from './detector.ts';
import type { Finding } from './finding.ts';
import {
  listensOnLoopback,
  noAnswer,
  noEndpoints,
  notListening,
  rejectedOnPath,
  resetOnPath,
  type Sender,
} from './refusals.ts';
import { UnansweredLegs } from './unanswered-legs.ts';

/** SYNs of one connection that nothing answers, or so many such connections, make a case: a capture may end before an answer. */
const UNANSWERED_SYNS = 3;
const UNANSWERED_CONNECTIONS = 2;

/** A client that fails at so many servers looks for open ports: it expects to fail. */
const SCANNED_SERVERS = 20;

/** Resets that a captured pod did not send: so many, for the capture may have missed some. */
const RESETS_ON_PATH = 3;

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
    const seen = new Failures(context);
    return {
      event: (event, flow, server) => {
        if (event.kind !== 'event' || event.code !== 'TCP_REFUSED') return;
        const address = textIn(fieldsIn(event.fields.icmp)?.from);
        if (address === '' || seen.senders.size >= FINDING_SUBJECTS) return;
        const isServer = address === context.hosts.text(flow.serverHost);
        seen.senders.set(server, { address, isServer });
      },
      flowEnded: (facts) => {
        const { tcp } = facts;
        if (tcp === undefined || tcp.midstream) return;
        // One SYN at the end of a capture may be answered later.
        if (tcp.state === 'unanswered' && tcp.syns > 1) seen.addUnanswered(facts, tcp);
        else if (tcp.state === 'refused') seen.addRefused(facts, tcp.resetBy === 'server');
      },
      findings: () => [...unansweredFindings(seen), ...refusedFindings(seen), ...rejectedFindings(seen)],
    };
  },
};

/** Connections that did not come up, by server. */
class Failures {
  readonly context: DetectorContext;
  readonly unanswered: Cases;
  readonly refused: Cases;
  readonly rejected: Cases;
  /** Resets that were seen to leave the server's own pod, and others. */
  readonly atPod: Cases;
  readonly notAtPod: Cases;
  /** SYNs without a response that were seen at the server's pod, and others. */
  readonly arrived: Cases;
  readonly missed: Cases;
  /** Whether the rejected address is a Service's own. */
  readonly services = new Set<string>();
  /** By subject: who sent the last ICMP message. */
  readonly senders = new Map<string, Sender>();
  /** Subjects to which a SYN was sent often enough without an answer. */
  readonly insistent = new Set<string>();
  readonly portOf = new Map<string, number>();
  /** Of a server that refused: a connection that reached the server itself. */
  readonly refusedAt = new Map<string, FlowFacts>();
  /** By client: at which servers it failed. */
  readonly #failedAt = new Map<string, Set<string>>();
  readonly #legs = new UnansweredLegs();

  constructor(context: DetectorContext) {
    this.context = context;
    this.unanswered = new Cases(context.bounds);
    this.refused = new Cases(context.bounds);
    this.rejected = new Cases(context.bounds);
    this.atPod = new Cases(context.bounds);
    this.notAtPod = new Cases(context.bounds);
    this.arrived = new Cases(context.bounds);
    this.missed = new Cases(context.bounds);
  }

  addUnanswered(facts: FlowFacts, { syns, synSpan }: TcpFacts): void {
    const subject = serverOf(this.context, facts, facts.first);
    // The leg that was seen first counts, whichever ends first.
    const earlier = this.#earlierLeg(facts) ?? this.#legs.earlier(facts, subject);
    if (earlier !== undefined) {
      this.#addPlace(facts, earlier, [this.arrived, this.missed]);
      return;
    }
    this.#add(this.unanswered, facts, subject);
    this.unanswered.of(subject).measure(synSpan ?? 0);
    this.#addPlace(facts, subject, [this.arrived, this.missed]);
    if (syns >= UNANSWERED_SYNS && this.insistent.size < FINDING_SUBJECTS) this.insistent.add(subject);
  }

  /** @param byServer a reset from the server's address; else an ICMP message */
  addRefused(facts: FlowFacts, byServer: boolean): void {
    const { context } = this;
    const earlier = this.#earlierLeg(facts);
    if (earlier !== undefined) {
      if (byServer) this.#addPlace(facts, earlier, [this.atPod, this.notAtPod]);
      return;
    }
    const subject = serverOf(context, facts, facts.first);
    if (byServer) {
      this.#add(this.refused, facts, subject);
      if (this.refusedAt.size < FINDING_SUBJECTS) this.refusedAt.set(subject, facts);
      this.#addPlace(facts, subject, [this.atPod, this.notAtPod]);
      return;
    }
    this.#add(this.rejected, facts, subject);
    const identity = serverIdentity(context, facts, facts.first);
    if (identity?.service !== undefined && identity.pod === undefined) this.services.add(subject);
  }

  /** The subject of a connection's other leg, before the address of a Service was translated, where that one counts. */
  #earlierLeg(facts: FlowFacts): string | undefined {
    if (facts.sameAs === undefined) return undefined;
    return serverOf(this.context, { ...facts, serverHost: facts.sameAs.serverHost }, facts.first);
  }

  /** Whether all clients of a case look for open ports. */
  isScan(one: Case): boolean {
    return one.frequent().every((client) => (this.#failedAt.get(client)?.size ?? 0) >= SCANNED_SERVERS);
  }

  capturedPods(): ReadonlySet<string> {
    return new Set(this.context.names.capturedPods().map(({ text }) => text));
  }

  /** A client tries ::1 and 127.0.0.1 in turn. */
  isOnOtherLoopback(subject: string): boolean {
    const port = this.portOf.get(subject) ?? 0;
    return subject.startsWith('[::1]:') && Number.isFinite(this.context.tallies.of(`127.0.0.1:${port}`)?.succeeded);
  }

  #add(cases: Cases, facts: FlowFacts, subject: string): void {
    const client = clientOf(this.context, facts, facts.first);
    cases.of(subject).add(facts.id, facts.first, client);
    const servers = this.#failedAt.get(client) ?? new Set();
    if (this.#failedAt.size < FINDING_SUBJECTS) this.#failedAt.set(client, servers);
    if (servers.size < SCANNED_SERVERS) servers.add(`${subject} ${facts.serverPort}`);
    if (this.portOf.size < FINDING_SUBJECTS) this.portOf.set(subject, facts.serverPort);
  }

  /** Whether a connection was seen at the interface of the server's pod. */
  #addPlace(facts: FlowFacts, subject: string, [own, others]: readonly [Cases, Cases]): void {
    const { id, first, interfaceId, serverPort, sightings = [] } = facts;
    const pod = serverIdentity(this.context, facts, first);
    if (pod?.pod === undefined) return;
    const isOfPod = (place: number) => {
      const at = this.context.names.ofInterface(place);
      return at !== undefined && at.pod === pod.pod && at.namespace === pod.namespace;
    };
    const isSeen = isOfPod(interfaceId) || sightings.some((sighting) => isOfPod(sighting.interfaceId));
    (isSeen ? own : others).of(subject).add(id, first, `${pod.text} port ${serverPort}`);
  }
}

/** The cases of many, with the number of connections to each server. */
function countedCases({ context }: Failures, cases: Cases): Iterable<readonly [string, Case]> {
  cases.attemptsOf((subject) => context.tallies.of(subject)?.connections);
  return cases.counting();
}

/** Whether all pods of a case, as places are written, were captured. */
function areCaptured(one: Case, captured: ReadonlySet<string>): boolean {
  return one.frequent().every((pod) => captured.has(pod.replace(/ port \d+$/, '')));
}

function unansweredFindings(seen: Failures): Finding[] {
  const { context, unanswered, arrived, missed, insistent } = seen;
  const captured = seen.capturedPods();
  const found: Finding[] = [];
  for (const [subject, one] of countedCases(seen, unanswered)) {
    if (!insistent.has(subject) && one.cases < UNANSWERED_CONNECTIONS) continue;
    if (seen.isScan(one)) continue;
    found.push(
      noAnswer(subject, one, {
        isSeenBothWays: context.tallies.hasBothDirections,
        arrived: arrived.of(subject),
        isCaptured: missed.of(subject).cases > 0 && areCaptured(missed.of(subject), captured),
        service: serviceNamed(context, subject),
      }),
    );
  }
  return found;
}

function refusedFindings(seen: Failures): Finding[] {
  const { context, refused, refusedAt, portOf, atPod, notAtPod } = seen;
  const captured = seen.capturedPods();
  const found: Finding[] = [];
  for (const [subject, one] of countedCases(seen, refused)) {
    if (seen.isScan(one) || seen.isOnOtherLoopback(subject)) continue;
    const port = portOf.get(subject) ?? 0;
    // Another port of the server, such as that of its probes, shows nothing of this one.
    const isOver = (context.tallies.of(subject)?.succeededAt.get(port) ?? Number.NEGATIVE_INFINITY) > one.last;
    const reached = refusedAt.get(subject);
    const listening = reached && listeningState(context, reached, reached.first);
    const [sent, passed] = [atPod.of(subject), notAtPod.of(subject)];
    if (listening === 'loopback') found.push(listensOnLoopback(subject, one, port));
    else if (
      sent.cases === 0 &&
      passed.cases >= RESETS_ON_PATH &&
      areCaptured(passed, captured) &&
      listening !== 'closed'
    )
      found.push(resetOnPath(subject, passed, serviceNamed(context, subject)));
    else found.push(notListening(subject, one, { sent, isOver, isClosed: listening === 'closed' && !isOver, port }));
  }
  return found;
}

function rejectedFindings(seen: Failures): Finding[] {
  const { rejected, services, senders } = seen;
  return [...countedCases(seen, rejected)].map(([subject, one]) =>
    services.has(subject) ? noEndpoints(subject, one) : rejectedOnPath(subject, one, senders.get(subject)),
  );
}
