import { type AnalysisEvent, type Exchange, SIDE } from '../record/event.ts';
import { fieldsIn } from '../record/field-values.ts';
import { type Case, Cases } from './cases.ts';
import type { DetectorKind } from './detector.ts';
import type { Finding, Severity } from './finding.ts';
import { counted, examplesOf, share } from './words.ts';

/** What a status says outright. */
interface StatusRule {
  readonly code: string;
  readonly severity: Severity;
  /** One event is enough. */
  readonly single?: boolean;
  /** Whether an event shows it. */
  matches(event: AnalysisEvent): boolean;
  /** @param how `3 of 40 requests`, `2 connections` */
  message(server: string, how: string): string;
  readonly next: string;
  readonly where: string;
  readonly otherwise?: string;
}

const hasStatus = (event: AnalysisEvent, protocol: string, pattern: RegExp): event is Exchange =>
  event.kind === 'exchange' && event.protocol === protocol && pattern.test(event.status);

/** A client cancels a call when its deadline passes: with so much of it, a share, before or after. */
const DEADLINE_SHARE = 0.05;

/** Whether a client cancelled a call at the deadline that it had set (RST_STREAM with CANCEL). */
function isLate(event: AnalysisEvent): boolean {
  if (event.kind !== 'exchange' || event.protocol !== 'grpc' || event.endedBy !== SIDE.client) return false;
  if (event.status !== 'RST CANCEL') return false;
  const fields = fieldsIn(event.fields.grpc);
  const [timeout, after] = [fields?.timeout, fields?.resetAfter];
  if (typeof timeout !== 'number' || typeof after !== 'number') return false;
  return Math.abs(after - timeout) <= timeout * DEADLINE_SHARE;
}

/** Servers take heads of 8 KiB and more; nginx rejects larger ones with 400. */
const LARGE_HEAD_BYTES = 8192;

/** Whether a request without a body was rejected with 400, and its head was large. */
function isLargeHead(event: AnalysisEvent): boolean {
  if (!hasStatus(event, 'http', /^400$/) || event.requestBytes < LARGE_HEAD_BYTES) return false;
  return /^(?:GET|HEAD|DELETE|OPTIONS) /.test(event.route);
}

const RULES: readonly StatusRule[] = [
  {
    code: 'HEADER_TOO_LARGE',
    severity: 'error',
    matches: (event) => hasStatus(event, 'http', /^431$/) || isLargeHead(event),
    message: (server, how) => `${server} rejects requests because their headers are too large: ${how}.`,
    next: "Look at the size of cookies and tokens, and raise the server's or proxy's header buffers.",
    where: 'http.status in [400, 431]',
  },
  {
    code: 'GRPC_DEADLINE',
    severity: 'warning',
    matches: (event) => hasStatus(event, 'grpc', /^DEADLINE_EXCEEDED\b/) || isLate(event),
    message: (server, how) => `Calls to ${server} exceed their deadline: ${how}.`,
    next: 'Find the slow hop: ksnoop trace svc/NAME -n NAMESPACE. If none is slow, raise the deadline.',
    where: 'status.startsWith("DEADLINE_EXCEEDED") || has(grpc.resetAfter)',
  },
  {
    code: 'GRPC_EXHAUSTED',
    severity: 'error',
    matches: (event) => hasStatus(event, 'grpc', /^RESOURCE_EXHAUSTED\b/),
    message: (server, how) => `${server} is out of a resource (RESOURCE_EXHAUSTED): ${how}.`,
    next: 'Read the status messages (Show); they name the resource: a quota, a message size or memory.',
    where: 'status.startsWith("RESOURCE_EXHAUSTED")',
  },
  {
    code: 'HTTP2_TOO_MANY_PINGS',
    severity: 'error',
    single: true,
    matches: (event) =>
      event.kind === 'event' && event.code === 'HTTP2_GOAWAY' && /ENHANCE_YOUR_CALM/.test(event.label),
    message: (server, how) => `${server} closes HTTP/2 connections with ENHANCE_YOUR_CALM: ${how}.`,
    next: "Set the client's gRPC keep-alive time to at least the server's minimum (5 minutes by default).",
    where: 'code == "HTTP2_GOAWAY"',
    otherwise: 'another limit of the server than that of pings',
  },
  {
    code: 'HTTP2_STREAM_LIMIT',
    severity: 'warning',
    single: true,
    matches: (event) =>
      (event.kind === 'exchange' && event.status.endsWith('RST REFUSED_STREAM')) ||
      (event.kind === 'event' && event.code === 'HTTP2_STREAM_LIMIT'),
    message: (server, how) =>
      `Requests to ${server} wait or are refused because a connection reached its limit of HTTP/2 streams: ${how}.`,
    next: "Open more connections from the client, or raise the server's MAX_CONCURRENT_STREAMS.",
    where: 'code == "HTTP2_STREAM_LIMIT" || status.endsWith("REFUSED_STREAM")',
    otherwise: 'the server was shutting down',
  },
  {
    code: 'DB_REFUSES',
    severity: 'error',
    matches: (event) =>
      (event.kind === 'exchange' || event.kind === 'event') &&
      /\b(?:53300|1040|1203)\b|max number of clients|too many connections/i.test(
        event.kind === 'exchange' ? event.status : event.label,
      ),
    message: (server, how) => `${server} refuses clients because all its connections are in use: ${how}.`,
    next: "List who holds the connections (pg_stat_activity, SHOW PROCESSLIST, CLIENT LIST): fix clients that do not close theirs, else reduce the clients' pools or raise the server's limit.",
    where: 'failed',
  },
  {
    code: 'DB_LOCK_WAIT',
    severity: 'warning',
    matches: (event) =>
      hasStatus(event, 'postgresql', /\b(?:40P01|55P03)\b/) || hasStatus(event, 'mysql', /\b(?:1205|1213)\b/),
    message: (server, how) => `Statements at ${server} wait for locks, or deadlock: ${how}.`,
    next: "Find the transaction that holds the lock: pg_stat_activity, or InnoDB's status.",
    where: 'failed',
  },
];

/** Protocols of databases, whose refusals are looked at. */
const DATABASES: ReadonlySet<string> = new Set(['postgresql', 'mysql', 'redis']);

/** Statuses and events that name their cause. */
export const statuses: DetectorKind = {
  codes: RULES.map(({ code }) => code),
  // A client cancels a call whose deadline has passed.
  explains: { GRPC_DEADLINE: ['CLIENT_GAVE_UP'] },
  create: (context) => {
    const cases = RULES.map(() => new Cases(context.bounds));
    /** Of the cases those that are events: each is of a connection, not of a request. */
    const events = RULES.map(() => new Cases(context.bounds));
    const othersOf = (subject: string) => context.tallies.of(subject)?.others ?? 0;
    return {
      event: (event, flow, server) => {
        const isDatabase = DATABASES.has(event.protocol);
        // Of most exchanges no rule needs to be looked at.
        if (event.kind === 'exchange' && !event.failed && event.status !== '431' && event.status !== '400') return;
        for (const [index, rule] of RULES.entries()) {
          if (rule.code === 'DB_REFUSES' && !isDatabase) continue;
          if (!rule.matches(event)) continue;
          (cases[index] as Cases)
            .of(server)
            .add(flow.id, event.time, event.kind === 'exchange' ? `${event.route} ${event.status}` : event.label);
          if (event.kind !== 'exchange') (events[index] as Cases).of(server).cases += 1;
        }
      },
      findings: () =>
        RULES.flatMap((rule, index): Finding[] => {
          const own = cases[index] as Cases;
          own.attemptsOf((subject) => (context.tallies.of(subject)?.exchanges ?? 0) + othersOf(subject));
          const eventsOf = (subject: string) => (events[index] as Cases).of(subject).cases;
          return own
            .all()
            .filter(([subject, one]) => one.counts || (rule.single === true && eventsOf(subject) > 0))
            .map(([subject, one]) => ({
              code: rule.code,
              severity: rule.severity,
              confidence: rule.otherwise === undefined ? 'proven' : 'likely',
              subject,
              message: rule.message(subject, howOften(one, eventsOf(subject), othersOf(subject))),
              evidence: [one.evidence(examplesOf(one), rule.where)],
              next: rule.next,
              otherwise: rule.otherwise,
              cases: one.cases,
              attempts: eventsOf(subject) === one.cases ? one.cases : one.attempts,
            }));
        }),
    };
  },
};

/** `3 of 40 requests`, `2 connections`, or both. @param events cases that are events @param others attempts that are no requests */
function howOften({ cases, attempts }: Case, events: number, others: number): string {
  const failed = cases - events;
  const shown = failed > 0 ? [share({ cases: failed, attempts: attempts - others }, 'request')] : [];
  if (events > 0) shown.push(counted(events, 'connection'));
  return shown.join(' and ');
}
