import { FINDING_SUBJECTS } from '../limits.ts';
import { type Exchange, SIDE } from '../record/event.ts';
import { type Case, Cases } from './cases.ts';
import { clientOf, type DetectorKind, type FindingContext, isOfRequests, serverOf, serviceNamed } from './detector.ts';
import type { Finding } from './finding.ts';
import { counted, examplesOf, share, span, traceOf } from './words.ts';

/** Failures within this share of one duration, at least so many, are one time limit's. */
const ROUND_CASES = 3;
const ROUND_SHARE = 0.01;
const ROUND_NS = [5e9, 10e9, 15e9, 30e9, 60e9, 120e9] as const;

/** Fewer are users who leave. */
const GAVE_UP_CASES = 3;
/** Clients that leave are worth a warning when so many of them do. */
const LEFT_SHARE = 0.01;

/** A connection was idle for so long before the request that the server's closing of it met, and ends so soon after that. */
const IDLE_NS = 1e9;
const RACE_NS = 500e6;

/** Idle times are those of one limit where so many of them are as near to their median, or within IDLE_NEAR_NS of it. */
const IDLE_MOST = 0.75;
const IDLE_NEAR = 0.1;
const IDLE_NEAR_NS = 500e6;
/** Cases without any idle time that are enough. */
const UNSEEN_RACES = 3;
/** Idle times that are remembered of one server. */
const IDLE_TIMES = 64;

/** Protocols in which every response shows where it ends. */
const WITH_LENGTH: ReadonlySet<string> = new Set(['http', 'grpc']);

/** Requests without a response whose connection has not ended. */
const CANDIDATES = 65_536;

/** Responses that do not come, or not to their end. */
export const responses: DetectorKind = {
  codes: ['RESPONSE_CUT', 'CLIENT_GAVE_UP', 'KEEPALIVE_RACE', 'ROUND_TIMEOUT'],
  explains: { ROUND_TIMEOUT: ['CLIENT_GAVE_UP'] },
  create: (context) => {
    const { tallies } = context;
    const cut = new Cases(context.bounds);
    const left = new Cases(context.bounds);
    const gaveUp = new Cases(context.bounds);
    const race = new Cases(context.bounds);
    const rounds = new Cases(context.bounds);
    /** By flow: the request that ended without any response on a connection that had been idle. */
    const candidates = new Map<number, Candidate>();
    /** By server: how long connections had been idle, ns. */
    const idles = new Map<string, number[]>();
    const clients = new Map<string, string>();
    return {
      event: (event, flow, server) => {
        if (event.kind !== 'exchange' || event.incomplete === undefined || !isOfRequests(event.protocol)) return;
        const ending = endingOf(event);
        // A stream that is refused is not begun: statuses.ts.
        if (ending === undefined || event.status === 'RST REFUSED_STREAM') return;
        const client = clientOf(context, flow, event.time);
        clients.set(server, client);
        if (event.responseBytes > 0) {
          // Of other protocols only a declared length shows that more was to come.
          if (!WITH_LENGTH.has(event.protocol) && event.declaredBytes === undefined) return;
          const how = `${event.route} ended after ${event.responseBytes} of ${event.declaredBytes ?? 'unknown'} bytes`;
          (ending === 'client' ? left : cut).of(server).add(flow.id, event.time, how);
          return;
        }
        if (ending === 'client') {
          gaveUp.of(server).add(flow.id, event.time, event.route);
          return;
        }
        const since = tallies.lastExchange(flow.id);
        // Without one: since the capture began, where the request is the first packet that it has of the connection.
        const isFirst = Number.isNaN(since);
        const idle = event.time - (isFirst ? 0 : since);
        if (idle >= IDLE_NS && candidates.size < CANDIDATES)
          candidates.set(flow.id, { server, time: event.time, idle, isFirst, label: event.route });
      },
      flowEnded: (facts) => {
        const { tcp, id, first, last } = facts;
        const candidate = candidates.get(id);
        candidates.delete(id);
        // A server that works on a request and then fails takes longer than the way there and back.
        const isOfIdle =
          candidate !== undefined &&
          last - candidate.time <= RACE_NS &&
          (!candidate.isFirst || (tcp?.midstream === true && first >= candidate.time));
        if (candidate !== undefined && isOfIdle) {
          race.of(candidate.server).add(id, candidate.time, candidate.label);
          const times = idles.get(candidate.server) ?? [];
          if (times.length === 0 && idles.size < FINDING_SUBJECTS) idles.set(candidate.server, times);
          if (!candidate.isFirst && times.length < IDLE_TIMES) times.push(candidate.idle);
        }
        if (tcp === undefined || tcp.midstream || tcp.closedBy === undefined) return;
        if (facts.server.payload > 0 || facts.client.payload === 0) return;
        const limit = ROUND_NS.find((round) => Math.abs(last - first - round) <= round * ROUND_SHARE);
        if (limit === undefined) return;
        const server = serverOf(context, facts, first);
        rounds.of(`${server} ${limit}`).attempts += 1;
        rounds.of(`${server} ${limit}`).add(id, first, tcp.closedBy);
      },
      findings: () => {
        for (const cases of [cut, left, gaveUp, race]) cases.attemptsOf((subject) => tallies.of(subject)?.requests);
        const cutByServers = cutResponses(cut);
        const cutSubjects = new Set(cutByServers.map(({ subject }) => subject));
        return [
          ...cutByServers,
          ...leftResponses(context, left, { clients, cutSubjects }),
          ...clientsThatGaveUp(context, gaveUp, clients),
          ...races(race, { clients, idles }),
          ...roundTimeouts(context, rounds),
        ];
      },
    };
  },
};

/** Servers that end their connection within a response. */
function cutResponses(cut: Cases): Finding[] {
  const found: Finding[] = [];
  for (const [subject, one] of cut.counting()) {
    found.push({
      code: 'RESPONSE_CUT',
      severity: 'error',
      confidence: 'proven',
      subject,
      message: `${subject} ends the connection before its response is complete: ${share(one, 'request')}.`,
      evidence: [one.evidence(examplesOf(one, 1), 'incomplete in ["reset", "closed early"]')],
      next: `Look at the logs of ${subject} at that time.`,
      otherwise: undefined,
      cases: one.cases,
      attempts: one.attempts,
    });
  }
  return found;
}

/** Clients that leave within a response. @param cutSubjects servers that cut responses themselves: left out */
function leftResponses(
  context: FindingContext,
  left: Cases,
  { clients, cutSubjects }: { clients: ReadonlyMap<string, string>; cutSubjects: ReadonlySet<string> },
): Finding[] {
  const found: Finding[] = [];
  for (const [subject, one] of left.counting()) {
    if (cutSubjects.has(subject)) continue;
    found.push({
      code: 'RESPONSE_CUT',
      severity: isRare(one) ? 'information' : 'warning',
      confidence: 'proven',
      subject,
      message: `Clients of ${subject} end the connection before the response is complete: ${share(one, 'request')}.`,
      evidence: [
        one.evidence(
          `${clients.get(subject) ?? 'a client'}: ${examplesOf(one, 1)}`,
          'endedBy == "client" && incomplete in ["reset", "closed early"]',
        ),
      ],
      next: `Compare the client's timeout with how long the responses take: ${traceOf(serviceNamed(context, subject))}.`,
      otherwise: 'users cancelled the requests',
      cases: one.cases,
      attempts: one.attempts,
    });
  }
  return found;
}

/** Clients that leave before a response begins. */
function clientsThatGaveUp(context: FindingContext, gaveUp: Cases, clients: ReadonlyMap<string, string>): Finding[] {
  const found: Finding[] = [];
  for (const [subject, one] of gaveUp.counting()) {
    found.push({
      code: 'CLIENT_GAVE_UP',
      severity: isRare(one) ? 'information' : 'warning',
      confidence: 'proven',
      subject,
      message: `Clients of ${subject} end the connection before the response begins: ${share(one, 'request')}.`,
      evidence: [one.evidence(`${clients.get(subject) ?? 'a client'}: ${examplesOf(one)}`, 'endedBy == "client"')],
      next: `Compare the client's timeout with how long the server takes: ${traceOf(serviceNamed(context, subject))}.`,
      otherwise: 'users cancelled the requests',
      cases: one.cases,
      attempts: one.attempts,
    });
  }
  return found;
}

/** Requests that meet the closing of an idle connection. */
function races(
  race: Cases,
  { clients, idles }: { clients: ReadonlyMap<string, string>; idles: ReadonlyMap<string, number[]> },
): Finding[] {
  const found: Finding[] = [];
  for (const [subject, one] of race.counting()) {
    const times = (idles.get(subject) ?? []).sort((a, b) => a - b);
    if (times.length === 0 && one.cases < UNSEEN_RACES) continue;
    const median = times[times.length >> 1] ?? 0;
    const isOneLimit = times.length > 0 && isAround(times, median);
    const idle =
      times.length === 0
        ? 'the connections are older than the capture, and the request is their first packet in it'
        : isOneLimit
          ? `the connections had been idle for ${span(median)}`
          : `the connections had been idle for ${span(times[0] ?? 0)} to ${span(times.at(-1) ?? 0)}`;
    found.push({
      code: 'KEEPALIVE_RACE',
      severity: 'error',
      // A limit ends connections after one time.
      confidence: isOneLimit ? 'likely' : 'hint',
      subject,
      message: `${subject} closes idle connections while clients send requests on them: ${share(one, 'request')} got no response.`,
      evidence: [
        one.evidence(
          `${clients.get(subject) ?? 'a client'}: ${examplesOf(one)}; ${idle}`,
          'endedBy == "server" && failed',
        ),
      ],
      next: "Look for restarts of the server at that time (kubectl get pods: RESTARTS, AGE). If there are none, set its keep-alive timeout longer than the idle timeout of the client's or proxy's connection pool.",
      otherwise:
        'a load balancer, NAT or firewall on the way forgot the idle connections, the server was stopping, or it fails on these requests',
      cases: one.cases,
      attempts: one.attempts,
    });
  }
  return found;
}

/** Who closed connections; both: some of them one side, some the other. */
const ENDED_BY = {
  client: { ends: (server: string) => `Clients end connections to ${server}`, whose: 'the client' },
  server: { ends: (server: string) => `The server ends connections to ${server}`, whose: 'the server' },
  both: { ends: (server: string) => `Connections to ${server} end`, whose: 'the client and the server' },
} as const;

/** Connections that end after a round time without a response. */
function roundTimeouts(context: FindingContext, rounds: Cases): Finding[] {
  const found: Finding[] = [];
  for (const [key, one] of rounds.all()) {
    if (one.cases < ROUND_CASES) continue;
    const [subject = '', limit = '0'] = key.split(/ (?=\d+$)/);
    const seconds = Number(limit) / 1e9;
    const { ends, whose } = ENDED_BY[one.texts.size > 1 ? 'both' : one.texts.has('client') ? 'client' : 'server'];
    found.push({
      code: 'ROUND_TIMEOUT',
      severity: 'warning',
      confidence: 'likely',
      subject,
      message: `${ends(subject)} after exactly ${seconds} s without a response: ${counted(one.cases, 'time')}.`,
      evidence: [one.evidence(`${one.cases} connections lasted ${seconds} s`)],
      next: `Look for a timeout of ${seconds} s in the settings of ${whose}; ${traceOf(serviceNamed(context, subject))} shows what takes so long.`,
      otherwise: 'work that is scheduled at that interval',
      cases: one.cases,
      attempts: one.attempts,
    });
  }
  return found;
}

/** A request without any response on a connection that had been idle before, ns. */
interface Candidate {
  readonly server: string;
  readonly time: number;
  readonly idle: number;
  /** No exchange of the connection came before it in the capture. */
  readonly isFirst: boolean;
  readonly label: string;
}

/** Whether most times are near their median. @param times ns */
function isAround(times: readonly number[], median: number): boolean {
  const near = Math.max(median * IDLE_NEAR, IDLE_NEAR_NS);
  return times.filter((time) => Math.abs(time - median) <= near).length >= times.length * IDLE_MOST;
}

/** So few clients that leave are users, or the end of a test. */
function isRare({ cases, attempts }: Case): boolean {
  return cases < GAVE_UP_CASES || cases < attempts * LEFT_SHARE;
}

/** Who ended the connection within an exchange; undefined where the packets do not tell, or the capture is to blame. */
function endingOf({ incomplete, endedBy }: Exchange): 'client' | 'server' | undefined {
  if (incomplete !== 'reset' && incomplete !== 'closed early' && incomplete !== 'no response') return undefined;
  return endedBy === undefined ? undefined : endedBy === SIDE.client ? 'client' : 'server';
}
