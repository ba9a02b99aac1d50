// Many requests at once through two proxies with pools of connections: each call belongs to the request that made it, or to none.
import { expect, test } from 'vitest';
import type { TraceRecord } from '../../../src/analyze/trace/record.ts';
import { Random } from '../../support/random.ts';
import { type End, TracedCapture, type TracedConnection } from '../../support/traced-capture.ts';
import { CLIENT, EDGE, get, sum, tracesOf, WEB } from './traces.ts';

const API = '10.244.2.9';
const WEB_SERVICE: End = ['10.96.0.7', 80];
const API_SERVICE: End = ['10.96.0.8', 80];
const NAMES = { [API]: 'shop/api-1', '10.96.0.8': 'api.shop' };
const REQUESTS = 300;
const AT_ONCE = 50;

interface Made {
  /** What the request says of itself: its path, and its header fields at each hop. */
  readonly path: (index: number) => string;
  readonly headers: (index: number, hop: number) => string;
}

/** client → edge → web → api. Response bodies say whose they are. */
function pooled({ path, headers }: Made, random: Random): TracedCapture {
  const capture = new TracedCapture(['shop/client-1/any', 'ingress/edge-1/any', 'shop/web-1/any', 'shop/api-1/any']);
  const initial = (): [number, number] => [random.below(2 ** 31), random.below(2 ** 31)];
  const jitter = () => 0.05 + random.below(1000) / 1000;
  // A pool whose connections began before the capture: any that is free is used.
  const pool: { readonly connection: TracedConnection; free: number }[] = [];
  const upstream = [
    { interfaceId: 1, ttl: 64, server: WEB_SERVICE },
    { interfaceId: 2, ttl: 62 },
  ];
  const take = (at: number) => {
    let found = pool.find(({ free }) => free < at);
    if (found === undefined) {
      const connection = capture.connection(upstream, [EDGE, 50_000 + pool.length], [WEB, 8080], initial());
      found = { connection, free: 0 };
      pool.push(found);
    }
    return found;
  };
  const workers = new Array<number>(AT_ONCE).fill(1000);
  for (let index = 0; index < REQUESTS; index += 1) {
    const worker = index % AT_ONCE;
    let at = (workers[worker] as number) + jitter() * 3;
    const body = `answer ${index}`;
    const response = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const outer = capture.connection(
      [
        { interfaceId: 0, ttl: 64 },
        { interfaceId: 1, ttl: 63 },
      ],
      [CLIENT, 10_000 + index],
      [EDGE, 80],
      initial(),
    );
    outer.handshake(at);
    at += 1 + jitter();
    const times: number[][] = [];
    for (let hop = 0; hop < 3; hop += 1) {
      times.push([at, at + 0.05]);
      at += 0.05 + jitter();
    }
    const [first, second, third] = times as [number[], number[], number[]];
    const middle = take(second[0] as number);
    const api = capture.connection(
      [
        { interfaceId: 2, ttl: 64, server: API_SERVICE },
        { interfaceId: 3, ttl: 62 },
      ],
      [WEB, 20_000 + index],
      [API, 8080],
      initial(),
    );
    api.handshake((third[0] as number) - 0.02, 0.001);
    outer.send(0, get(path(index), headers(index, 0)), first);
    middle.connection.send(0, get(path(index), headers(index, 1)), second);
    api.send(0, get(path(index), headers(index, 2)), third);
    at += jitter() * 5;
    api.send(1, response, [at + 0.05, at]);
    at += 0.05 + jitter();
    middle.connection.send(1, response, [at + 0.05, at]);
    middle.free = at + 0.06;
    at += 0.05 + jitter();
    outer.send(1, response, [at + 0.05, at]);
    workers[worker] = at + 0.1;
  }
  return capture;
}

const numberIn = (text: string) => /n=(\d+)/.exec(text)?.[1];

/** How many are joined over all hops; what is joined is right. */
function joined(traces: readonly TraceRecord[]): number {
  let whole = 0;
  for (const { src, label, hops, total } of traces) {
    if (src?.pod !== 'client-1') continue;
    expect(sum(hops), label).toBeCloseTo(total ?? Number.NaN, 3);
    for (const hop of hops) expect(numberIn(hop.label), label).toBe(numberIn(label));
    if (hops.some(({ depth }) => depth === 2)) whole += 1;
  }
  return whole;
}

test('with an id that goes on from hop to hop every request is joined, and proven', () => {
  const id = (index: number) => `X-Request-Id: id-${index}\r\n`;
  const traces = tracesOf(pooled({ path: (index) => `/cart?n=${index}`, headers: id }, new Random(1)), NAMES);
  expect(traces).toHaveLength(REQUESTS);
  expect(joined(traces)).toBe(REQUESTS);
  expect(traces.every(({ hops }) => hops.every(({ confidence }) => confidence === 'proven'))).toBe(true);
});

test('without an id the paths tell, and nothing is called proven', () => {
  const headers = () => '';
  const traces = tracesOf(pooled({ path: (index) => `/cart?n=${index}`, headers }, new Random(2)), NAMES);
  expect(joined(traces)).toBeGreaterThanOrEqual(REQUESTS * 0.99);
  for (const { hops } of traces) {
    expect(hops.every(({ depth, confidence }) => depth === 0 || confidence === 'likely')).toBe(true);
  }
});

test('requests that do not differ are not joined to one another by guessing', () => {
  const traces = tracesOf(pooled({ path: () => '/cart', headers: () => '' }, new Random(3)), NAMES);
  const deep = traces.filter(({ hops }) => hops.some(({ depth }) => depth > 0));
  // Only one that was open alone can have been joined; the rest says how many calls may be its own.
  expect(deep.length).toBeLessThan(REQUESTS * 0.1);
  expect(traces.filter(({ ambiguous }) => ambiguous !== undefined).length).toBeGreaterThan(REQUESTS * 0.8);
});
