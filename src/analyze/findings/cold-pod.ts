import type { FlowIdentity } from '../flow/flow-facts.ts';
import { FINDING_EXAMPLES, FINDING_SUBJECTS } from '../limits.ts';
import type { Exchange } from '../record/event.ts';
import { COLD_NS } from '../record/repeated-exchanges.ts';
import { ExchangeRow } from '../summary/exchange-rows.ts';
import { Histogram } from '../summary/histogram.ts';
import { type DetectorKind, isOfRequests, serverIdentity } from './detector.ts';
import type { Finding } from './finding.ts';
import { quoted, span } from './words.ts';

/** A pod that is cold gets its first request so long after the Service's first one, ns. */
const LATER_NS = 10e9;

/** Requests of the pod while it is cold, and of its siblings; how much slower it is, and by how much at least (ns). */
const REQUESTS = 10;
const SIBLING_REQUESTS = 20;
const TIMES_SIBLINGS = 3;
const SLOWER_NS = 50e6;

/** Pods of one Service that are looked at. */
const PODS = 256;

interface Pod {
  readonly first: number;
  last: number;
  /** Requests of its first COLD_NS, and later ones. */
  readonly cold: Histogram;
  readonly warm: Histogram;
  readonly flows: Set<number>;
}

interface Service {
  readonly first: number;
  readonly pods: Map<string, Pod>;
}

/** Pods that are slow at first. */
export const coldPod: DetectorKind = {
  codes: ['COLD_POD'],
  exchanges: isOfRequests,
  ofPods: true,
  create: (context) => {
    const services = new Map<string, Service>();
    /** @param event the last of several @param began when the first of them began, ns @param times theirs */
    const take = (event: Exchange, flow: FlowIdentity, began: number, count: (times: Histogram) => void) => {
      if (event.probe) return;
      if (event.responseTime === undefined || event.incomplete !== undefined) return;
      const identity = serverIdentity(context, flow, event.time);
      if (identity?.pod === undefined || identity.service === undefined) return;
      let service = services.get(identity.group);
      if (service === undefined) {
        if (services.size >= FINDING_SUBJECTS) return;
        service = { first: began, pods: new Map() };
        services.set(identity.group, service);
      }
      let pod = service.pods.get(identity.text);
      if (pod === undefined) {
        if (service.pods.size >= PODS) return;
        pod = { first: began, last: began, cold: new Histogram(), warm: new Histogram(), flows: new Set() };
        service.pods.set(identity.text, pod);
      }
      const isCold = began - pod.first <= COLD_NS;
      count(isCold ? pod.cold : pod.warm);
      if (isCold) pod.last = Math.max(pod.last, event.time);
      if (pod.flows.size < FINDING_EXAMPLES) pod.flows.add(flow.id);
    };
    return {
      event: (event, flow) => {
        if (event.kind !== 'exchange') return;
        const { time, requestEnd, responseTime = requestEnd } = event;
        take(event, flow, time, (times) => times.record(responseTime - requestEnd));
      },
      repeated: (repeated, flow) => {
        const { serverTime } = ExchangeRow.of(repeated);
        take(repeated.exchange, flow, repeated.first, (times) => times.merge(serverTime));
      },
      findings: () => {
        const found: Finding[] = [];
        for (const [subject, { first, pods }] of services) {
          for (const [name, pod] of pods) {
            if (pod.first - first < LATER_NS || pod.cold.count < REQUESTS) continue;
            const siblings = new Histogram();
            for (const [other, { cold, warm, first: began }] of pods) {
              if (other === name) continue;
              siblings.merge(warm);
              // Those that served from the beginning were there before the capture.
              if (began - first < LATER_NS) siblings.merge(cold);
            }
            if (siblings.count < SIBLING_REQUESTS) continue;
            const own = pod.cold.percentile(0.5);
            const usual = siblings.percentile(0.5);
            if (own < usual * TIMES_SIBLINGS || own - usual < SLOWER_NS) continue;
            found.push({
              code: 'COLD_POD',
              severity: 'warning',
              confidence: 'likely',
              subject,
              message: `${name} of ${subject} is slow after its start: the median of its first ${pod.cold.count} requests is ${span(own)}, of the other pods ${span(usual)}.`,
              evidence: [
                {
                  text: `its first request came ${span(pod.first - first)} after the first one of the Service`,
                  flows: [...pod.flows],
                  times: [pod.first, pod.last],
                  where: `dst.pod == ${quoted(name.split('/').at(-1) ?? '')}`,
                },
              ],
              next: `Add a startupProbe or a warm-up, so that pods of ${subject} become ready only when they are fast.`,
              otherwise: 'it gets other requests, or its node is slower',
              cases: pod.cold.count,
              attempts: pod.cold.count,
            });
          }
        }
        return found;
      },
    };
  },
};
