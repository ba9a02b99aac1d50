import { FINDING_SUBJECTS } from '../limits.ts';
import type { AnalysisEvent, Exchange } from '../record/event.ts';
import { type Case, Cases } from './cases.ts';
import { type DetectorKind, groupOf, serviceNamed } from './detector.ts';
import type { Finding } from './finding.ts';
import { counted, type ServiceName, share, traceOf } from './words.ts';

/** What a gateway answers when its backend fails (RFC 9110, sections 15.6.3 to 15.6.5). */
const GATEWAY_STATUS = /^50[234]$/;

/** Failed requests of one client that are remembered. */
const FAILURES = 64;

/** What one upstream did explains a gateway's errors when it does so for this share of them. */
const EXPLAINED_SHARE = 0.9;

/** A request of a gateway that failed. */
interface Failure {
  readonly server: string;
  readonly from: number;
  readonly to: number;
  readonly how: 'same status' | 'connection refused' | 'reset' | 'no response';
}

/** 502, 503 and 504, and what the gateway got from its backend. */
export const gateway: DetectorKind = {
  codes: ['GATEWAY_ERROR'],
  create: (context) => {
    const answered = new Cases(context.bounds);
    const failures = new Map<string, Failure[]>();
    /** By server: how often each failure of an upstream came before its error. */
    const causes = new Map<string, Map<string, number>>();
    const remember = (client: string, failure: Failure) => {
      const own = failures.get(client) ?? [];
      if (failures.size >= FINDING_SUBJECTS && own.length === 0) return;
      failures.set(client, own);
      own.push(failure);
      if (own.length > FAILURES) own.shift();
    };
    const addCause = (server: string, { how, server: upstream }: Failure) => {
      const own = causes.get(server) ?? new Map<string, number>();
      causes.set(server, own);
      const key = `${how} ${upstream}`;
      if (own.has(key) || own.size < FAILURES) own.set(key, (own.get(key) ?? 0) + 1);
    };
    return {
      event: (event, flow, server) => {
        const isHttp = event.kind === 'exchange' && event.protocol === 'http';
        const how = failureOf(event);
        if (!isHttp && how === undefined) return;
        const isGatewayError = isHttp && GATEWAY_STATUS.test(event.status);
        if (isGatewayError) {
          answered.of(server).add(flow.id, event.time, `${event.route} ${event.status}`);
          const own = failures.get(groupOf(context, flow.serverHost, flow.interfaceId, event.time));
          const cause = own?.findLast(({ from, to }) => from >= event.time && to <= (event.responseEnd ?? to));
          if (cause !== undefined) addCause(server, cause);
        }
        if (how === undefined) return;
        const to = event.kind === 'exchange' ? (event.responseEnd ?? event.requestEnd) : event.time;
        remember(groupOf(context, flow.clientHost, flow.interfaceId, event.time), {
          server,
          from: event.time,
          to,
          how,
        });
      },
      findings: () => {
        answered.attemptsOf((subject) => context.tallies.of(subject)?.http);
        const counting = answered.counting();
        const subjects = new Set(counting.map(([subject]) => subject));
        return counting.flatMap(([subject, one]): Finding[] => {
          const service = serviceNamed(context, subject);
          const [cause, explained = 0] = [...(causes.get(subject) ?? [])].sort((a, b) => b[1] - a[1])[0] ?? [];
          if (cause === undefined || explained < one.cases * EXPLAINED_SHARE)
            return [finding(subject, one, { service })];
          const upstream = cause.replace(/^(?:same status|connection refused|reset|no response) /, '');
          const how = cause.slice(0, -upstream.length - 1);
          // What it only passes on is a finding of the server behind it.
          if (how === 'same status' && subjects.has(upstream) && upstream !== subject) return [];
          return [finding(subject, one, { service, cause: `${how} from ${upstream}` })];
        });
      },
    };
  },
};

/** What a failed request got; undefined for one that did not fail. */
function failureOf(event: AnalysisEvent): Failure['how'] | undefined {
  if (event.kind === 'event') return event.code === 'TCP_REFUSED' ? 'connection refused' : undefined;
  if (event.kind !== 'exchange') return undefined;
  if (event.protocol === 'http' && GATEWAY_STATUS.test(event.status)) return 'same status';
  return brokenOff(event);
}

function brokenOff({ incomplete }: Exchange): 'reset' | 'no response' | undefined {
  if (incomplete === 'reset') return 'reset';
  return incomplete === 'no response' || incomplete === 'timed out' ? 'no response' : undefined;
}

/** @param service the gateway, where it is one @param cause what it got from its backend, where that is known */
function finding(
  subject: string,
  one: Case,
  { service, cause }: { readonly service: ServiceName | undefined; readonly cause?: string },
): Finding {
  const [example = ''] = one.frequent();
  const upstream = cause?.slice(cause.indexOf(' from ') + ' from '.length) ?? '';
  const others = one.areTextsCut ? 'other requests' : counted(one.texts.size - 1, 'other request');
  return {
    code: 'GATEWAY_ERROR',
    severity: 'error',
    confidence: cause === undefined ? 'likely' : 'proven',
    subject,
    message:
      cause === undefined
        ? `${subject} answers with 502, 503 or 504: ${share(one, 'request')}.`
        : `${subject} answers with 502, 503 or 504 because its own requests fail (${cause}): ${share(one, 'request')}.`,
    evidence: [
      one.evidence(one.texts.size > 1 ? `${example} and ${others}` : example, 'http.status in [502, 503, 504]'),
    ],
    next:
      cause === undefined
        ? `To see whether a backend got the request, and what it answered: ${traceOf(service)}`
        : `Look at the server behind it: ${upstream}.`,
    otherwise: cause === undefined ? 'the server itself answers so, and is no gateway' : undefined,
    cases: one.cases,
    attempts: one.attempts,
  };
}
