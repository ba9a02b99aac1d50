import { FINDING_SUBJECTS } from '../limits.ts';
import { type Misfit, misfitOf } from '../protocols/tls/certificate-fit.ts';
import type { AnalysisEvent, Exchange } from '../record/event.ts';
import { type Case, Cases } from './cases.ts';
import { type DetectorKind, groupOf, isOfSidecar, serviceNamed } from './detector.ts';
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
  readonly how: 'same status' | 'connection refused' | 'reset' | 'no response' | Misfit;
}

/** An error of a gateway of which no cause came yet: its end may be seen before that of the failed request. */
interface Unexplained {
  readonly server: string;
  readonly from: number;
  readonly to: number | undefined;
}

/** What most often came before a server's errors. */
interface Cause extends Pick<Failure, 'server' | 'how'> {
  times: number;
}

/** What is wrong with the certificate after which the gateway closes its connections. */
const MISFITS: Readonly<Record<Misfit, string>> = {
  expired: 'which has expired',
  'other name': 'which is for another name',
};

/** 502, 503 and 504, and what the gateway got from its backend. */
export const gateway: DetectorKind = {
  codes: ['GATEWAY_ERROR'],
  create: (context) => {
    const answered = new Cases(context.bounds);
    const failures = new Map<string, Failure[]>();
    const unexplained = new Map<string, Unexplained[]>();
    /** By server: how often each failure of an upstream came before its error. */
    const causes = new Map<string, Map<string, Cause>>();
    /** By server: handshakes with it after which a client sent nothing and closed. */
    const unused = new Map<string, number>();
    const addCause = (server: string, { how, server: upstream }: Failure) => {
      const own = causes.get(server) ?? new Map<string, Cause>();
      causes.set(server, own);
      const key = `${how} ${upstream}`;
      const cause = own.get(key) ?? { server: upstream, how, times: 0 };
      cause.times += 1;
      if (own.has(key) || own.size < FAILURES) own.set(key, cause);
    };
    const explainEarlier = (client: string, failure: Failure) => {
      const own = unexplained.get(client);
      const left = own?.filter((error) => !isWithin(failure, error));
      if (own === undefined || left === undefined || left.length === own.length) return;
      for (const error of own) if (isWithin(failure, error)) addCause(error.server, failure);
      unexplained.set(client, left);
    };
    /** Whether most TLS connections to a server carried nothing: its certificate does not keep a client from others. */
    const areMostUnused = (server: string) => {
      const { exchanges = 0, requests = 0 } = context.tallies.of(server) ?? {};
      return (unused.get(server) ?? 0) * 2 > exchanges - requests;
    };
    return {
      event: (event, flow, server) => {
        const isHttp = event.kind === 'exchange' && event.protocol === 'http';
        const how = failureOf(event);
        if (!isHttp && how === undefined) return;
        const isGatewayError = isHttp && GATEWAY_STATUS.test(event.status);
        if (isGatewayError) {
          answered.of(server).add(flow.id, event.time, `${event.route} ${event.status}`);
        }
        if (isGatewayError && !isOfSidecar(context.hosts, flow)) {
          const gatewayItself = groupOf(context, flow.serverHost, flow.interfaceId, event.time);
          const error = { server, from: event.time, to: event.responseEnd };
          const cause = failures.get(gatewayItself)?.findLast((failure) => isWithin(failure, error));
          if (cause === undefined) remember(unexplained, gatewayItself, error);
          else addCause(server, cause);
        }
        if (how === undefined) return;
        if (isMisfit(how) && (unused.has(server) || unused.size < FINDING_SUBJECTS))
          unused.set(server, (unused.get(server) ?? 0) + 1);
        const to = event.kind === 'exchange' ? (event.responseEnd ?? event.requestEnd) : event.time;
        // The sidecar that asks a pod's program is what others take for that pod.
        const asking = isOfSidecar(context.hosts, flow) ? flow.serverHost : flow.clientHost;
        const client = groupOf(context, asking, flow.interfaceId, event.time);
        const failure = { server, from: event.time, to, how };
        remember(failures, client, failure);
        explainEarlier(client, failure);
      },
      findings: () => {
        answered.attemptsOf((subject) => context.tallies.of(subject)?.http);
        const counting = answered.counting();
        const subjects = new Set(counting.map(([subject]) => subject));
        return counting.flatMap(([subject, one]): Finding[] => {
          const service = serviceNamed(context, subject);
          const [cause] = [...(causes.get(subject)?.values() ?? [])].sort((a, b) => b.times - a.times);
          if (cause === undefined || cause.times < one.cases * EXPLAINED_SHARE)
            return [finding(subject, one, { service })];
          const { how, server: upstream } = cause;
          if (isMisfit(how) && !areMostUnused(upstream)) return [finding(subject, one, { service })];
          // What it only passes on is a finding of the server behind it.
          if (how === 'same status' && subjects.has(upstream) && upstream !== subject) return [];
          return [finding(subject, one, { service, cause })];
        });
      },
    };
  },
};

/** The last ones of each client or gateway, FAILURES at most. */
function remember<Item>(items: Map<string, Item[]>, of: string, item: Item): void {
  const own = items.get(of) ?? [];
  if (items.size >= FINDING_SUBJECTS && !items.has(of)) return;
  items.set(of, own);
  own.push(item);
  if (own.length > FAILURES) own.shift();
}

/** Whether a request failed between a gateway's own request and its response. */
function isWithin(failure: Failure, { from, to }: Unexplained): boolean {
  return failure.from >= from && failure.to <= (to ?? failure.to);
}

/** What a failed request got; undefined for one that did not fail. */
function failureOf(event: AnalysisEvent): Failure['how'] | undefined {
  if (event.kind === 'event') return event.code === 'TCP_REFUSED' ? 'connection refused' : undefined;
  if (event.kind !== 'exchange') return undefined;
  const misfit = event.protocol === 'tls' ? misfitOf(event.status) : undefined;
  if (misfit !== undefined) return misfit;
  if (event.protocol === 'http' && GATEWAY_STATUS.test(event.status)) return 'same status';
  return brokenOff(event);
}

function isMisfit(how: Failure['how']): how is Misfit {
  return how === 'expired' || how === 'other name';
}

/** What the gateway got from its backend, in brackets. */
function causeText({ how, server }: Cause): string {
  if (!isMisfit(how)) return `${how} from ${server}`;
  return `it closes its connections to ${server} after the server's certificate, ${MISFITS[how]}`;
}

function brokenOff({ incomplete }: Exchange): 'reset' | 'no response' | undefined {
  if (incomplete === 'reset') return 'reset';
  return incomplete === 'no response' || incomplete === 'timed out' ? 'no response' : undefined;
}

/** @param service the gateway, where it is one @param cause what it got from its backend, where that is known */
function finding(
  subject: string,
  one: Case,
  { service, cause }: { readonly service: ServiceName | undefined; readonly cause?: Cause },
): Finding {
  const [example = ''] = one.frequent();
  const others = one.areTextsCut ? 'other requests' : counted(one.texts.size - 1, 'other request');
  return {
    code: 'GATEWAY_ERROR',
    severity: 'error',
    // That it closes because of the certificate is what the packets suggest.
    confidence: cause === undefined || isMisfit(cause.how) ? 'likely' : 'proven',
    subject,
    message:
      cause === undefined
        ? `${subject} answers with 502, 503 or 504: ${share(one, 'request')}.`
        : `${subject} answers with 502, 503 or 504 because its own requests fail (${causeText(cause)}): ${share(one, 'request')}.`,
    evidence: [
      one.evidence(one.texts.size > 1 ? `${example} and ${others}` : example, 'http.status in [502, 503, 504]'),
    ],
    next:
      cause === undefined
        ? `To see whether a backend got the request, and what it answered: ${traceOf(service)}`
        : `Look at ${isMisfit(cause.how) ? 'the certificate of ' : ''}the server behind it: ${cause.server}.`,
    otherwise:
      cause === undefined
        ? 'the server itself answers with this status and is not a gateway'
        : isMisfit(cause.how)
          ? 'it closes them for another reason, which its log has'
          : undefined,
    cases: one.cases,
    attempts: one.attempts,
  };
}
