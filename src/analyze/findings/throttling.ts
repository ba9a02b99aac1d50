import { LATE_NS } from '../record/repeated-exchanges.ts';
import { growth, type StatePair } from '../state/network-states.ts';
import { ExchangeRow } from '../summary/exchange-rows.ts';
import { Cases } from './cases.ts';
import { type DetectorKind, isOfRequests, placeOf, serverIdentity } from './detector.ts';
import { type Finding, withoutPackets } from './finding.ts';
import { counted, grouped, share, span } from './words.ts';

/** Share of the scheduler's periods in which a limit stopped a container, of so many periods (of 100 ms, as kubelet sets them). */
const THROTTLED_SHARE = 0.05;
const PERIODS = 20;

/** A container that is stopped goes on in the next period: a response that begins later than this may have waited for it. ns */
const SLOW_NS = LATE_NS;
const SLOW_REQUESTS = 3;

/** What the kernel counts of a pod's cgroups: src/agent/netns/cpu-throttling.ts. */
const COUNTER = /^Cgroup (\S+) nr_periods$/;

/** Pods that their CPU limit stops, by the kernel's own count, and the requests that are slow meanwhile. */
export const throttling: DetectorKind = {
  codes: ['CPU_THROTTLED'],
  exchanges: isOfRequests,
  ofPods: true,
  explains: { CPU_THROTTLED: ['SERVER_SLOW'] },
  create: (context) => {
    const slow = new Cases(context.bounds);
    /** By pod: the Service or name that its requests go to. */
    const groups = new Map<string, string>();
    return {
      event: (event, flow) => {
        // Most captures have no such counters.
        if (!context.states.hasCpu || event.kind !== 'exchange' || event.probe) return;
        if (event.responseTime === undefined) return;
        const identity = serverIdentity(context, flow, event.time);
        if (identity?.pod === undefined) return;
        const one = slow.of(identity.text);
        one.attempts += 1;
        const taken = event.responseTime - event.requestEnd;
        if (taken < SLOW_NS) return;
        one.add(flow.id, event.time);
        one.measure(taken);
        groups.set(identity.text, identity.group);
      },
      // Either all of them are slow, or none.
      repeated: (repeated, flow) => {
        const { exchange, count, first } = repeated;
        if (!context.states.hasCpu || exchange.probe || exchange.responseTime === undefined) return;
        const identity = serverIdentity(context, flow, exchange.time);
        if (identity?.pod === undefined) return;
        const one = slow.of(identity.text);
        one.attempts += count;
        if (exchange.responseTime - exchange.requestEnd < SLOW_NS) return;
        one.addSeveral(count, flow.id, first, exchange.time);
        one.measure(ExchangeRow.of(repeated).serverTime.max);
        groups.set(identity.text, identity.group);
      },
      findings: () =>
        context.states.pairs().flatMap((pair): Finding[] => {
          const place = placeOf(context, pair.interfaceId);
          const found = mostThrottled(pair);
          if (found === undefined) return [];
          const { container, periods, throttled, stoppedNs } = found;
          const one = slow.of(place);
          const isSlow = one.counts && one.cases >= SLOW_REQUESTS;
          const where = container === 'pod' ? '' : ` (container ${container})`;
          const shared = { cases: throttled, attempts: periods };
          return [
            {
              code: 'CPU_THROTTLED',
              severity: isSlow ? 'warning' : 'information',
              confidence: 'proven',
              subject: isSlow ? (groups.get(place) ?? place) : place,
              message: `${place}${where} is stopped by its CPU limit in ${share(shared, 'period')}${isSlow ? `, and ${share(one, 'request')} took ${span(SLOW_NS)} or longer until the response began` : ''}.`,
              evidence: [
                withoutPackets(
                  `cpu.stat: nr_throttled rose by ${grouped(throttled)} and nr_periods by ${grouped(periods)} between the first and the last state; stopped for ${span(stoppedNs)} in all`,
                ),
                ...(isSlow
                  ? [
                      one.evidence(
                        `${counted(one.cases, 'slow request')}, up to ${span(one.most)}`,
                        `serverTime >= duration("${SLOW_NS / 1e6}ms")`,
                      ),
                    ]
                  : []),
              ],
              next: `Raise or remove the CPU limit of ${container === 'pod' ? 'its containers' : `container ${container}`}: ${describe(place)}`,
              otherwise: isSlow ? 'the requests are slow for another reason, such as garbage collection' : undefined,
              ...shared,
            },
          ];
        }),
    };
  },
};

interface Throttled {
  readonly container: string;
  readonly periods: number;
  readonly throttled: number;
  readonly stoppedNs: number;
}

/** The container of a namespace's pod that was stopped in the largest share of its periods; undefined where none was often enough. */
function mostThrottled(pair: StatePair): Throttled | undefined {
  let most: Throttled | undefined;
  for (const counter of Object.keys(pair.last.state.counters)) {
    const container = COUNTER.exec(counter)?.[1];
    if (container === undefined) continue;
    const periods = growth(pair, counter) ?? 0;
    const throttled = growth(pair, `Cgroup ${container} nr_throttled`) ?? 0;
    if (periods < PERIODS || throttled < periods * THROTTLED_SHARE) continue;
    if (most !== undefined && throttled / periods <= most.throttled / most.periods) continue;
    most = {
      container,
      periods,
      throttled,
      stoppedNs: (growth(pair, `Cgroup ${container} throttled_usec`) ?? 0) * 1000,
    };
  }
  return most;
}

/** `kubectl describe pod -n shop web-1` */
function describe(place: string): string {
  const [namespace = '', pod] = place.split('/');
  return pod === undefined ? 'kubectl describe pod' : `kubectl describe pod -n ${namespace} ${pod}`;
}
