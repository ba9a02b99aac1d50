import { FINDING_SUBJECTS } from '../limits.ts';
import { RecentMap } from '../recent-map.ts';
import { fieldsIn, textIn } from '../record/field-values.ts';
import { MASK } from '../record/mask.ts';
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
  /** By id, client and route: whether the last attempt failed. */
  readonly last: RecentMap<string, boolean>;
  readonly retried: Case;
}

/** Requests that come again and again with one id because they fail. */
export const retries: DetectorKind = {
  codes: ['RETRY_STORM'],
  exchanges: (protocol) => protocol === 'http' || protocol === 'grpc',
  create: () => {
    const servers = new Map<string, Upstream>();
    return {
      event: (event, flow, server) => {
        if (event.kind !== 'exchange' || event.fields.http === undefined) return;
        const requestId = textIn(fieldsIn(event.fields.http)?.requestId);
        // Masks of different secrets are the same.
        if (requestId === '' || requestId.includes(MASK)) return;
        let upstream = servers.get(server);
        if (upstream === undefined) {
          if (servers.size >= FINDING_SUBJECTS) return;
          upstream = { requests: 0, attempts: 0, last: new RecentMap(REMEMBERED), retried: new Case() };
          servers.set(server, upstream);
        }
        const key = `${requestId} ${flow.clientHost} ${event.route}`;
        const before = upstream.last.get(key);
        upstream.attempts += 1;
        // A call that succeeded and comes again is another one.
        if (before === true) upstream.retried.add(flow.id, event.time, event.route);
        else upstream.requests += 1;
        upstream.last.set(key, event.failed || event.status === '429');
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
