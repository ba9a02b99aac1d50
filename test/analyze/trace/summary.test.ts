// `-o trace=summary --json`: an object per route, with its hops and examples.
import { expect, test } from 'vitest';
import type { PathStats } from '../../../src/analyze/trace/paths.ts';
import { trace } from '../../../src/run/analysis/trace.ts';
import { analysisLines } from '../../support/analysis-lines.ts';
import { TracedCapture } from '../../support/traced-capture.ts';
import { CLIENT, get, ok, WEB } from './traces.ts';

const summary = {
  ...trace,
  create: (context: Parameters<typeof trace.create>[0]) => trace.create({ ...context, argument: 'summary' }),
};

test('a route has its requests, its hops with percentiles and shares, and its slowest and last failed request', () => {
  const capture = new TracedCapture(['shop/client-1/any', 'shop/web-1/any']);
  const places = [
    { interfaceId: 0, ttl: 64 },
    { interfaceId: 1, ttl: 62 },
  ];
  const connection = capture.connection(places, [CLIENT, 40_000], [WEB, 8080], [1000, 9000]).handshake(1000);
  connection.send(0, get('/cart?n=1'), [1010, 1011]).send(1, ok(), [1020, 1019]);
  connection.send(0, get('/cart?n=2'), [1030, 1031]).send(1, ok(), [1060, 1059]);
  connection
    .send(0, get('/cart?n=3'), [1070, 1071])
    .send(1, 'HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n', [1080, 1079]);
  connection.send(0, get('/other'), [1090, 1091]).send(1, ok(), [1094, 1093]);
  const { lines } = analysisLines(summary, capture.pcapng(), { [CLIENT]: 'shop/client-1', [WEB]: 'shop/web-1' });
  const routes = lines.map((line) => JSON.parse(line) as PathStats & { readonly v: number; readonly kind: string });
  expect(routes.map(({ v, kind, route, count, failed }) => ({ v, kind, route, count, failed }))).toEqual([
    { v: 1, kind: 'traces', route: 'GET /cart', count: 3, failed: 1 },
    { v: 1, kind: 'traces', route: 'GET /other', count: 1, failed: 0 },
  ]);
  const [cart] = routes;
  expect(cart?.total).toMatchObject({ count: 3, max: 30e6 });
  expect(cart?.slowest).toMatchObject({ label: 'GET /cart?n=2', total: 30e6 });
  expect(cart?.lastFailed).toMatchObject({ label: 'GET /cart?n=3', status: '500' });
  const server = cart?.hops.find(({ kind }) => kind === 'server');
  expect(server).toMatchObject({ from: 'shop/web-1', depth: 0, lost: 0, latency: { count: 3, max: 28e6 } });
  expect(server?.share).toBeCloseTo(44 / 50);
});
