import type { FlowIdentity } from '../flow/flow-facts.ts';
import { FINDING_SUBJECTS } from '../limits.ts';
import { RecentMap } from '../recent-map.ts';
import type { Exchange } from '../record/event.ts';
import { requestIdHash, requestIdOf } from '../record/repeated-exchanges.ts';
import { Case } from './cases.ts';
import type { DetectorKind } from './detector.ts';
import type { Finding } from './finding.ts';
import { counted, examplesOf, grouped } from './words.ts';

/** Requests for each one that was meant, and how many of those there must be. */
const TIMES = 1.5;
const REQUESTS = 10;

/** Requests of one server whose ids are remembered: retries come soon. */
const REMEMBERED = 2048;

interface Upstream {
  /** Different requests, and attempts of them. */
  requests: number;
  attempts: number;
  /** By the hash of the id, client and route: whether the last attempt failed. */
  readonly last: RecentMap<string, boolean>;
  readonly retried: Case;
}

/** Requests that come again and again with one id because they fail. */
export const retries: DetectorKind = {
  codes: ['RETRY_STORM'],
  exchanges: (protocol) => protocol === 'http' || protocol === 'grpc',
  create: () => {
    const servers = new Map<string, Upstream>();
    const upstreamOf = (server: string): Upstream | undefined => {
      let upstream = servers.get(server);
      if (upstream === undefined && servers.size < FINDING_SUBJECTS) {
        upstream = { requests: 0, attempts: 0, last: new RecentMap(REMEMBERED), retried: new Case() };
        servers.set(server, upstream);
      }
      return upstream;
    };
    return {
      event: (event, flow, server) => {
        if (event.kind !== 'exchange') return;
        const requestId = requestIdOf(event);
        if (requestId === '') return;
        const upstream = upstreamOf(server);
        if (upstream === undefined) return;
        attempt(upstream, flow, event, { first: event.time, id: requestIdHash(requestId) });
      },
      // None of them failed; one may be the last attempt of a request that did.
      repeated: ({ exchange, first, requestIds }, flow, server) => {
        if (requestIds.length === 0) return;
        const upstream = upstreamOf(server);
        if (upstream === undefined) return;
        for (const id of requestIds) attempt(upstream, flow, exchange, { first, id });
      },
      findings: () => {
        const found: Finding[] = [];
        for (const [subject, { requests, attempts, retried }] of servers) {
          if (requests < REQUESTS || attempts < requests * TIMES) continue;
          found.push({
            code: 'RETRY_STORM',
            severity: 'error',
            confidence: 'proven',
            subject,
            message: `Retries multiply the load of ${subject}: ${counted(requests, 'request')} were sent ${grouped(attempts)} times, ${(attempts / requests).toFixed(1)} times each on average.`,
            evidence: [
              retried.evidence(`the same x-request-id came again after a failure: ${examplesOf(retried)}`, 'failed'),
            ],
            next: 'Find why the first attempt fails, and limit retries (a retry budget, backoff) at the client or proxy.',
            otherwise: undefined,
            cases: retried.cases,
            attempts,
          });
        }
        return found;
      },
    };
  },
};

/** One more attempt of a request. @param of when it began at the earliest, ns, at the latest with the exchange; and requestIdHash of its id */
function attempt(
  upstream: Upstream,
  flow: FlowIdentity,
  { route, time, failed, status }: Exchange,
  { first, id }: { readonly first: number; readonly id: number },
): void {
  const key = `${id} ${flow.clientHost} ${route}`;
  upstream.attempts += 1;
  // A call that succeeded and comes again is another one.
  if (upstream.last.get(key) === true) upstream.retried.addSeveral(1, flow.id, first, time, route);
  else upstream.requests += 1;
  upstream.last.set(key, failed || status === '429');
}
