import { TRACE_EXAMPLES, TRACE_ROUTES } from '../limits.ts';
import { Histogram, type Percentiles } from '../summary/histogram.ts';
import { type HopRecord, serviceName, type TraceRecord } from './record.ts';

/** One hop of all requests of a route. Durations: ns. */
export interface PathHop {
  readonly kind: HopRecord['kind'];
  readonly from: string;
  readonly to: string | undefined;
  readonly depth: number;
  readonly latency: Percentiles | undefined;
  /** Of the time of all requests of the route, 0 to 1. */
  readonly share: number;
  /** Segments of requests and responses that were lost there. */
  readonly lost: number;
  /** Requests in which it stood out. */
  readonly slowest: number;
}

/** All requests of a client's route, and where their time went. */
export interface PathStats {
  readonly route: string;
  readonly protocol: string;
  readonly service: string | undefined;
  readonly count: number;
  readonly failed: number;
  readonly total: Percentiles | undefined;
  readonly hops: readonly PathHop[];
  /** The slowest request, and the last one that failed; undefined where there is none, or none was kept. */
  readonly slowest: TraceRecord | undefined;
  readonly lastFailed: TraceRecord | undefined;
}

interface HopSum {
  readonly hop: HopRecord;
  readonly order: number;
  readonly latency: Histogram;
  sum: number;
  lost: number;
  slowest: number;
}

/** Hops that are compared with a request's one before it is looked up by its key: as many as a Service mostly has pods. */
const FIRST_HOPS = 8;

class PathSum {
  count = 0;
  failed = 0;
  sum = 0;
  slowest: TraceRecord | undefined;
  lastFailed: TraceRecord | undefined;
  readonly total = new Histogram();
  readonly hops = new Map<string, HopSum>();
  /** By a hop's number within its request: the first ones that were there. Mostly one of them comes again. */
  readonly first: (HopSum[] | undefined)[] = [];
}

interface Path {
  readonly trace: TraceRecord;
  /** Empty where it is not known. */
  readonly service: string;
  readonly sum: PathSum;
  readonly hasExamples: boolean;
}

/** Adds up traces by route and hop; at most TRACE_ROUTES of both. */
export class TracePaths {
  /** Traces for whose routes or hops there was no room. */
  left = 0;
  readonly #paths = new Map<string, Path>();
  /** By route: the path of the last request. */
  readonly #lastOf = new Map<string, Path>();
  #hops = 0;

  add(trace: TraceRecord): void {
    const path = this.#pathOf(trace);
    if (path === undefined) {
      this.left += 1;
      return;
    }
    const { sum } = path;
    sum.count += 1;
    if (trace.failed) sum.failed += 1;
    if (path.hasExamples) {
      if (trace.failed) sum.lastFailed = trace;
      if (trace.total !== undefined && trace.total > (sum.slowest?.total ?? -1)) sum.slowest = trace;
    }
    if (trace.total === undefined) return;
    sum.sum += trace.total;
    sum.total.record(trace.total);
    let isWhole = true;
    for (let index = 0; index < trace.hops.length; index += 1) {
      if (!this.#addHop(sum, trace.hops[index] as HopRecord, index, trace.slowest === index)) isWhole = false;
    }
    if (!isWhole) this.left += 1;
  }

  /** @returns undefined where there is no room */
  #pathOf(trace: TraceRecord): Path | undefined {
    const service = serviceOf(trace) ?? '';
    const route = trace.route ?? trace.label;
    // To make a key and look it up costs more than all the rest: requests of one route mostly go to one service.
    const last = this.#lastOf.get(route);
    if (last !== undefined && last.trace.protocol === trace.protocol && last.service === service) return last;
    const key = `${trace.protocol} ${service} ${route}`;
    let path = this.#paths.get(key);
    if (path === undefined) {
      if (this.#paths.size >= TRACE_ROUTES) return undefined;
      path = { trace, service, sum: new PathSum(), hasExamples: this.#paths.size < TRACE_EXAMPLES };
      this.#paths.set(key, path);
    }
    this.#lastOf.set(route, path);
    return path;
  }

  /** Those with the most time in all first. */
  stats(): PathStats[] {
    return [...this.#paths.values()]
      .sort((a, b) => b.sum.sum - a.sum.sum)
      .map(({ trace, sum }) => ({
        route: trace.route ?? trace.label,
        protocol: trace.protocol,
        service: serviceOf(trace),
        count: sum.count,
        failed: sum.failed,
        total: sum.total.percentiles(),
        slowest: sum.slowest,
        lastFailed: sum.lastFailed,
        hops: [...sum.hops.values()]
          .sort((a, b) => a.order - b.order)
          .map(({ hop, latency, sum: time, lost, slowest }) => ({
            kind: hop.kind,
            from: hop.from,
            to: hop.to,
            depth: hop.depth,
            latency: latency.percentiles(),
            share: sum.sum === 0 ? 0 : time / sum.sum,
            lost,
            slowest,
          })),
      }));
  }

  /** @returns undefined where there is no room */
  #hopOf(sum: PathSum, hop: HopRecord, order: number): HopSum | undefined {
    const key = hopKey(hop);
    let own = sum.hops.get(key);
    if (own === undefined) {
      if (this.#hops >= TRACE_ROUTES) return undefined;
      this.#hops += 1;
      own = { hop, order, latency: new Histogram(), sum: 0, lost: 0, slowest: 0 };
      sum.hops.set(key, own);
    }
    const first = sum.first[order];
    if (first === undefined) sum.first[order] = [own];
    else if (first.length < FIRST_HOPS) first.push(own);
    return own;
  }

  /** @returns false where there was no room */
  #addHop(sum: PathSum, hop: HopRecord, order: number, isSlowest: boolean): boolean {
    const own = firstLike(sum.first[order], hop) ?? this.#hopOf(sum, hop, order);
    if (own === undefined) return false;
    own.latency.record(hop.latency);
    own.sum += hop.latency;
    for (const { count } of hop.lost) own.lost += count;
    if (isSlowest) own.slowest += 1;
    return true;
  }
}

function firstLike(sums: readonly HopSum[] | undefined, hop: HopRecord): HopSum | undefined {
  if (sums !== undefined) for (const sum of sums) if (isSameHop(sum.hop, hop)) return sum;
  return undefined;
}

function hopKey({ depth, kind, from, to }: HopRecord): string {
  return `${depth} ${kind} ${from} ${to ?? ''}`;
}

function isSameHop(one: HopRecord, other: HopRecord): boolean {
  return one.depth === other.depth && one.kind === other.kind && one.from === other.from && one.to === other.to;
}

function serviceOf({ dst }: TraceRecord): string | undefined {
  return serviceName(dst) ?? dst?.pod ?? dst?.name ?? dst?.ip;
}
