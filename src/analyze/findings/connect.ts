import type { FlowFacts } from '../flow/flow-facts.ts';
import { FINDING_SUBJECTS } from '../limits.ts';
import { fieldsIn, textIn } from '../record/field-values.ts';
import { type Case, Cases } from './cases.ts';
import { clientOf, type DetectorKind, listeningState, serverIdentity, serverOf, serviceNamed } from './detector.ts';
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
    const { tallies } = context;
    const unanswered = new Cases(context.bounds);
    const refused = new Cases(context.bounds);
    const rejected = new Cases(context.bounds);
    /** Resets that were seen to leave the server's own pod, and others. */
    const atPod = new Cases(context.bounds);
    const notAtPod = new Cases(context.bounds);
    /** SYNs without a response that were seen at the server's pod, and others. */
    const arrived = new Cases(context.bounds);
    const missed = new Cases(context.bounds);
    /** Whether the rejected address is a Service's own. */
    const services = new Set<string>();
    /** By subject: who sent the last ICMP message. */
    const senders = new Map<string, Sender>();
    /** By client: at which servers it failed. */
    const failedAt = new Map<string, Set<string>>();
    /** Subjects to which a SYN was sent often enough without an answer. */
    const insistent = new Set<string>();
    const portOf = new Map<string, number>();
    const legs = new UnansweredLegs();
    /** Of a server that refused: a connection that reached the server itself. */
    const refusedAt = new Map<string, FlowFacts>();
    /** A client tries ::1 and 127.0.0.1 in turn. */
    const isOnOtherLoopback = (port: number) => Number.isFinite(tallies.of(`127.0.0.1:${port}`)?.succeeded);
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
    /** Whether a connection was seen at the interface of the server's pod. */
    const addPlace = (facts: FlowFacts, subject: string, [own, others]: readonly [Cases, Cases]) => {
      const { id, first, interfaceId, serverPort, sightings = [] } = facts;
      const pod = serverIdentity(context, facts, first);
      if (pod?.pod === undefined) return;
      const isOfPod = (place: number) => {
        const at = context.names.ofInterface(place);
        return at !== undefined && at.pod === pod.pod && at.namespace === pod.namespace;
      };
      const isSeen = isOfPod(interfaceId) || sightings.some((sighting) => isOfPod(sighting.interfaceId));
      (isSeen ? own : others).of(subject).add(id, first, `${pod.text} port ${serverPort}`);
    };
    return {
      event: (event, flow, server) => {
        if (event.kind !== 'event' || event.code !== 'TCP_REFUSED') return;
        const address = textIn(fieldsIn(event.fields.icmp)?.from);
        if (address === '' || senders.size >= FINDING_SUBJECTS) return;
        const isServer = address === context.hosts.text(flow.serverHost);
        senders.set(server, { address, isServer });
      },
      flowEnded: (facts) => {
        const { tcp } = facts;
        if (tcp === undefined || tcp.midstream) return;
        const subject = serverOf(context, facts, facts.first);
        // One SYN at the end of a capture may be answered later.
        if (tcp.state === 'unanswered' && tcp.syns > 1) {
          const earlier = legs.earlier(facts, subject);
          if (earlier !== undefined) {
            addPlace(facts, earlier, [arrived, missed]);
            return;
          }
          add(unanswered, facts, subject);
          unanswered.of(subject).measure(tcp.synSpan ?? 0);
          addPlace(facts, subject, [arrived, missed]);
          if (tcp.syns >= UNANSWERED_SYNS && insistent.size < FINDING_SUBJECTS) insistent.add(subject);
        } else if (tcp.state === 'refused' && facts.sameAs !== undefined) {
          // Behind the address of a Service: it counts where it was seen first.
          const { serverHost } = facts.sameAs;
          if (tcp.resetBy === 'server')
            addPlace(facts, serverOf(context, { ...facts, serverHost }, facts.first), [atPod, notAtPod]);
        } else if (tcp.state === 'refused' && tcp.resetBy === 'server') {
          add(refused, facts, subject);
          if (refusedAt.size < FINDING_SUBJECTS) refusedAt.set(subject, facts);
          addPlace(facts, subject, [atPod, notAtPod]);
        } else if (tcp.state === 'refused') {
          add(rejected, facts, subject);
          const identity = serverIdentity(context, facts, facts.first);
          if (identity?.service !== undefined && identity.pod === undefined) services.add(subject);
        }
      },
      findings: () => {
        const captured = new Set(context.names.capturedPods().map(({ text }) => text));
        const isCaptured = (one: Case) => one.frequent().every((pod) => captured.has(pod.replace(/ port \d+$/, '')));
        const found: Finding[] = [];
        for (const cases of [unanswered, refused, rejected])
          cases.attemptsOf((subject) => tallies.of(subject)?.connections);
        for (const [subject, one] of unanswered.counting()) {
          if (!insistent.has(subject) && one.cases < UNANSWERED_CONNECTIONS) continue;
          if (isScan(one)) continue;
          found.push(
            noAnswer(subject, one, {
              isSeenBothWays: tallies.hasBothDirections,
              arrived: arrived.of(subject),
              isCaptured: missed.of(subject).cases > 0 && isCaptured(missed.of(subject)),
              service: serviceNamed(context, subject),
            }),
          );
        }
        for (const [subject, one] of refused.counting()) {
          if (isScan(one)) continue;
          if (subject.startsWith('[::1]:') && isOnOtherLoopback(portOf.get(subject) ?? 0)) continue;
          const port = portOf.get(subject) ?? 0;
          // Another port of the server, such as that of its probes, shows nothing of this one.
          const isOver = (tallies.of(subject)?.succeededAt.get(port) ?? Number.NEGATIVE_INFINITY) > one.last;
          const reached = refusedAt.get(subject);
          const listening = reached && listeningState(context, reached, reached.first);
          const [sent, passed] = [atPod.of(subject), notAtPod.of(subject)];
          if (listening === 'loopback') found.push(listensOnLoopback(subject, one, port));
          else if (sent.cases === 0 && passed.cases >= RESETS_ON_PATH && isCaptured(passed) && listening !== 'closed')
            found.push(resetOnPath(subject, passed, serviceNamed(context, subject)));
          else
            found.push(notListening(subject, one, { sent, isOver, isClosed: listening === 'closed' && !isOver, port }));
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
