import { FINDING_EXAMPLES, FINDING_SUBJECTS } from '../limits.ts';
import { type DetectorKind, isOfRequests, serverIdentity } from './detector.ts';
import type { Finding } from './finding.ts';
import { counted, grouped, quoted } from './words.ts';

/** So many requests for each pod, and a share so far above the even one, in standard deviations too. */
const REQUESTS_PER_POD = 20;
const TIMES_EVEN = 2;
const DEVIATIONS = 4;

interface Pods {
  readonly requests: Map<string, number>;
  readonly connections: Set<number>;
  first: number;
  last: number;
}

/** Requests of a Service that its pods do not get in equal shares. */
export const balancing: DetectorKind = {
  codes: ['UNEVEN_BALANCING'],
  exchanges: isOfRequests,
  ofPods: true,
  create: (context) => {
    const services = new Map<string, Pods>();
    return {
      event: (event, flow) => {
        if (event.kind !== 'exchange' || event.probe) return;
        const identity = serverIdentity(context, flow, event.time);
        if (identity?.pod === undefined || identity.service === undefined) return;
        let pods = services.get(identity.group);
        if (pods === undefined) {
          if (services.size >= FINDING_SUBJECTS) return;
          pods = { requests: new Map(), connections: new Set(), first: event.time, last: event.time };
          services.set(identity.group, pods);
        }
        pods.last = event.time;
        if (pods.connections.size < FINDING_SUBJECTS) pods.connections.add(flow.id);
        pods.requests.set(identity.text, (pods.requests.get(identity.text) ?? 0) + 1);
      },
      findings: () => {
        const found: Finding[] = [];
        for (const [subject, { requests, connections, first, last }] of services) {
          const pods = requests.size;
          const all = [...requests.values()].reduce((sum, count) => sum + count, 0);
          const [busiest = '', most = 0] = [...requests].sort((a, b) => b[1] - a[1])[0] ?? [];
          const even = all / pods;
          if (pods < 2 || all < REQUESTS_PER_POD * pods || most <= (TIMES_EVEN * all) / pods) continue;
          if (most - even < DEVIATIONS * Math.sqrt(even * (1 - 1 / pods))) continue;
          found.push({
            code: 'UNEVEN_BALANCING',
            severity: 'warning',
            confidence: 'likely',
            subject,
            message: `The pods of ${subject} get unequal shares: ${busiest} got ${Math.round((most / all) * 100)} % of the ${grouped(all)} requests to ${pods} pods.`,
            evidence: [
              {
                text: `${counted(connections.size, 'connection')}${connections.size < pods * 4 ? ': few long ones stay with one pod' : ''}`,
                flows: [...connections].slice(0, FINDING_EXAMPLES),
                times: [first, last],
                where: `dst.pod == ${quoted(busiest.split('/').at(-1) ?? '')}`,
              },
            ],
            next: 'With few long connections: balance in the client (headless Service), or limit how long a connection lives.',
            otherwise: 'session affinity or topology-aware routing, or pods that are not captured',
            cases: most,
            attempts: all,
          });
        }
        return found;
      },
    };
  },
};
