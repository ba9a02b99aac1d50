import type { FlowIdentity } from '../flow/flow-facts.ts';
import { FINDING_EXAMPLES, FINDING_SUBJECTS } from '../limits.ts';
import type { Exchange } from '../record/event.ts';
import { fieldsIn, textIn } from '../record/field-values.ts';
import { type DetectorKind, type FindingContext, isOfRequests, serverIdentity } from './detector.ts';
import type { Finding } from './finding.ts';
import { counted, grouped, listed, quoted } from './words.ts';

/** So many requests for each pod, and a share so far above the even one, in standard deviations too. */
const REQUESTS_PER_POD = 20;
const TIMES_EVEN = 2;
const DEVIATIONS = 4;

interface Pods {
  readonly requests: Map<string, number>;
  /** By flow: how many connections it stands for. */
  readonly connections: Map<number, number>;
  /** All requests came over HTTP/2, of which a connection stays with one pod for long. */
  isHttp2: boolean;
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
    /** @param event the last of several @param first when the first of them began, ns */
    const take = (event: Exchange, flow: FlowIdentity, count: number, first: number) => {
      if (event.probe) return;
      const identity = serverIdentity(context, flow, event.time);
      if (identity?.pod === undefined || identity.service === undefined) return;
      let pods = services.get(identity.group);
      if (pods === undefined) {
        if (services.size >= FINDING_SUBJECTS) return;
        pods = { requests: new Map(), connections: new Map(), isHttp2: true, first, last: event.time };
        services.set(identity.group, pods);
      }
      pods.first = Math.min(pods.first, first);
      pods.last = Math.max(pods.last, event.time);
      pods.isHttp2 &&= event.protocol === 'grpc' || textIn(fieldsIn(event.fields.http)?.version) === '2';
      if (pods.connections.size < FINDING_SUBJECTS && !pods.connections.has(flow.id)) pods.connections.set(flow.id, 1);
      pods.requests.set(identity.text, (pods.requests.get(identity.text) ?? 0) + count);
    };
    return {
      event: (event, flow) => {
        if (event.kind === 'exchange') take(event, flow, 1, event.time);
      },
      repeated: ({ exchange, count, first }, flow) => take(exchange, flow, count, first),
      connectionsEnded: (count, flow, time) => {
        const connections = services.get(serverIdentity(context, flow, time)?.group ?? '')?.connections;
        if (connections?.has(flow.id) === true) connections.set(flow.id, count);
      },
      findings: () => {
        const found: Finding[] = [];
        for (const [subject, own] of services) {
          const { requests, connections, first, last } = own;
          const pinned = pinnedFinding(context, subject, own);
          if (pinned !== undefined) {
            found.push(pinned);
            continue;
          }
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
                text: `${counted(sumOf(connections), 'connection')}${sumOf(connections) < pods * 4 ? ': few long ones stay with one pod' : ''}`,
                flows: [...connections.keys()].slice(0, FINDING_EXAMPLES),
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

/** Connections, FINDING_SUBJECTS at the most. */
function sumOf(connections: Pods['connections']): number {
  let sum = 0;
  for (const count of connections.values()) sum += count;
  return Math.min(sum, FINDING_SUBJECTS);
}

/** UNEVEN_BALANCING of a Service with captured pods that get nothing, for there are fewer HTTP/2 connections than pods. */
function pinnedFinding(
  { names }: FindingContext,
  subject: string,
  { requests, connections, isHttp2, first, last }: Pods,
): Finding | undefined {
  if (!isHttp2) return undefined;
  const idle = names.capturedPodsOf(subject).filter((pod) => !requests.has(pod));
  const pods = requests.size + idle.length;
  const all = [...requests.values()].reduce((sum, count) => sum + count, 0);
  if (idle.length === 0 || sumOf(connections) >= pods || all < REQUESTS_PER_POD * pods) return undefined;
  return {
    code: 'UNEVEN_BALANCING',
    severity: 'warning',
    confidence: 'likely',
    subject,
    message: `${listed(idle)} of ${subject} ${idle.length === 1 ? 'gets' : 'get'} no requests other than probes: all ${grouped(all)} came over ${counted(sumOf(connections), 'HTTP/2 connection')}, and a connection stays with one pod.`,
    evidence: [
      {
        text: `${listed([...requests.keys()])} served them`,
        flows: [...connections.keys()].slice(0, FINDING_EXAMPLES),
        times: [first, last],
        where: undefined,
      },
    ],
    next: 'Balance in the client (headless Service), or limit how long a connection lives (gRPC: MAX_CONNECTION_AGE).',
    otherwise: `${listed(idle)} ${idle.length === 1 ? 'was' : 'were'} not ready`,
    cases: all,
    attempts: all,
  };
}
