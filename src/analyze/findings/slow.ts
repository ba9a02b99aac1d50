import { FINDING_SUBJECTS } from '../limits.ts';
import type { Exchange } from '../record/event.ts';
import { ExchangeRow } from '../summary/exchange-rows.ts';
import { Histogram } from '../summary/histogram.ts';
import { Case } from './cases.ts';
import { type DetectorKind, type FindingContext, groupOf, serviceNamed } from './detector.ts';
import type { Finding } from './finding.ts';
import { counted, quoted, share, span, targetOf, traceOf } from './words.ts';

/** A response that takes so long to begin, ns, for this share of the exchange, and so much longer than the route's median. */
const SLOW_NS = 500e6;
const SERVER_SHARE = 0.8;
const TIMES_MEDIAN = 3;
/** Where the median itself is as slow: so many exchanges. */
const ALWAYS_SLOW = 5;

/** A server's own calls that cover this share of a slow exchange explain it, in this share of the slow exchanges. */
const COVERED_SHARE = 0.7;
const EXPLAINED_SHARE = 0.5;

/** Calls that are remembered of one client: those as long as this, ns. */
const CALLS = 64;
const CALL_NS = 100e6;

/** Protocols whose servers do not wait for news: long polls of others are slow by design. */
const PROTOCOLS: ReadonlySet<string> = new Set(['http', 'grpc', 'postgresql', 'mysql']);

interface Route {
  readonly server: string;
  readonly route: string;
  readonly times: Histogram;
  readonly slow: Case;
  /** By server that it called: slow exchanges that these calls cover. */
  readonly waitedFor: Map<string, number>;
}

interface Call {
  readonly server: string;
  readonly from: number;
  readonly to: number;
}

/** Servers that take long to respond, and whether they wait for others meanwhile. */
export const slow: DetectorKind = {
  codes: ['SERVER_SLOW', 'DEPENDENCY_SLOW'],
  exchanges: (protocol) => PROTOCOLS.has(protocol),
  create: (context) => {
    const routes = new Map<string, Map<string, Route>>();
    let count = 0;
    const calls = new Map<string, Call[]>();
    let last: Route | undefined;
    const routeOf = (server: string, route: string): Route | undefined => {
      if (last !== undefined && last.route === route && last.server === server) return last;
      let own = routes.get(server);
      if (own === undefined) {
        own = new Map();
        routes.set(server, own);
      }
      let found = own.get(route);
      if (found === undefined) {
        if (count >= FINDING_SUBJECTS) return undefined;
        count += 1;
        found = { server, route, times: new Histogram(), slow: new Case(), waitedFor: new Map() };
        own.set(route, found);
      }
      last = found;
      return found;
    };
    return {
      event: (event, flow, server) => {
        if (event.kind !== 'exchange' || event.probe) return;
        const { responseTime, responseEnd, requestEnd, incomplete } = event;
        if (responseTime === undefined || responseEnd === undefined) return;
        // Where an earlier request that was not seen may be the one answered, the own answer came later: it took this long at least.
        if (incomplete !== undefined && incomplete !== 'unknown') return;
        const route = routeOf(server, event.route);
        if (route === undefined) return;
        const taken = responseTime - requestEnd;
        route.times.record(taken);
        if (taken >= CALL_NS)
          remember(calls, groupOf(context, flow.clientHost, flow.interfaceId, event.time), {
            server,
            from: event.time,
            to: responseEnd,
          });
        if (!isServerSlow(event, taken)) return;
        route.slow.add(flow.id, event.time);
        route.slow.measure(taken);
        const own = calls.get(groupOf(context, flow.serverHost, flow.interfaceId, event.time));
        const dependency = own === undefined ? undefined : coveringServer(own, requestEnd, responseTime);
        if (dependency === undefined || dependency === server) return;
        const known = route.waitedFor.get(dependency);
        if (known !== undefined || route.waitedFor.size < CALLS) route.waitedFor.set(dependency, (known ?? 0) + 1);
      },
      // They are too short for a slow response, and for a call that explains one: only the median is also theirs.
      repeated: (repeated, _flow, server) => {
        if (repeated.exchange.probe) return;
        routeOf(server, repeated.exchange.route)?.times.merge(ExchangeRow.of(repeated).serverTime);
      },
      findings: () => {
        const found: Finding[] = [];
        for (const own of routes.values()) {
          let worst: Route | undefined;
          for (const route of own.values()) {
            if (isSlowRoute(route) && (worst === undefined || route.slow.cases > worst.slow.cases)) worst = route;
          }
          if (worst !== undefined) found.push(slowFinding(context, worst));
        }
        return found;
      },
    };
  },
};

function isServerSlow({ time, responseEnd }: Exchange, taken: number): boolean {
  return taken >= SLOW_NS && responseEnd !== undefined && taken >= (responseEnd - time) * SERVER_SHARE;
}

function isSlowRoute({ times, slow: one }: Route): boolean {
  const median = times.percentile(0.5);
  one.attempts = times.count;
  if (median >= SLOW_NS) return one.cases >= ALWAYS_SLOW;
  return one.counts && one.cases >= 3 && one.most >= median * TIMES_MEDIAN && SLOW_NS >= median * TIMES_MEDIAN;
}

function slowFinding(context: FindingContext, { server, route, times, slow: one, waitedFor }: Route): Finding {
  const median = times.percentile(0.5);
  const usual = median >= SLOW_NS ? `the median is ${span(median)}` : `the median is only ${span(median)}`;
  const [dependency, covered = 0] = [...waitedFor].sort((a, b) => b[1] - a[1])[0] ?? [];
  const where = `route == ${quoted(route)} && serverTime >= duration("${SLOW_NS / 1e6}ms")`;
  const evidence = [one.evidence(`up to ${span(one.most)} until the response began; ${usual}`, where)];
  const common = {
    severity: 'warning',
    confidence: 'likely',
    subject: server,
    cases: one.cases,
    attempts: one.attempts,
  } as const;
  const service = dependency === undefined ? undefined : serviceNamed(context, dependency);
  if (dependency !== undefined && covered >= one.cases * EXPLAINED_SHARE) {
    return {
      ...common,
      code: 'DEPENDENCY_SLOW',
      message: `${server} is slow because it waits for ${dependency}: ${counted(covered, 'slow response')} to ${route} spent most of their time on requests to ${dependency}.`,
      evidence,
      next:
        service === undefined
          ? `Look at why ${dependency} is slow.`
          : `To see why it is slow: ksnoop diagnose ${targetOf(service)}`,
      otherwise: 'the requests to it were made at the same time by chance',
    };
  }
  return {
    ...common,
    code: 'SERVER_SLOW',
    message: `${server} responds slowly to ${route}: ${share(one, 'request')} took ${span(SLOW_NS)} or longer until the response began.`,
    evidence,
    next: `To see whether it waits for another server: ${traceOf(serviceNamed(context, server))}. If not, profile it.`,
    otherwise: 'slow by design, such as a report or a long poll',
  };
}

function remember(calls: Map<string, Call[]>, client: string, call: Call): void {
  let own = calls.get(client);
  if (own === undefined) {
    if (calls.size >= FINDING_SUBJECTS) return;
    own = [];
    calls.set(client, own);
  }
  own.push(call);
  if (own.length > CALLS) own.shift();
}

/** The server that was called for most of a time; undefined where none covers COVERED_SHARE of it. */
function coveringServer(calls: readonly Call[], from: number, to: number): string | undefined {
  const times = new Map<string, number>();
  let best: string | undefined;
  for (const call of calls) {
    const within = call.from >= from && call.to <= to;
    if (!within) continue;
    const sum = (times.get(call.server) ?? 0) + call.to - call.from;
    times.set(call.server, sum);
    if (sum >= (to - from) * COVERED_SHARE && (best === undefined || sum > (times.get(best) ?? 0))) best = call.server;
  }
  return best;
}
