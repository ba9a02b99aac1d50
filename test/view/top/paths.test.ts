import { expect, test } from 'vitest';
import { whereExpression } from '../../../src/run/where.ts';
import { paths } from '../../../src/view/top/paths.ts';
import { topModel } from '../../support/top-model.ts';
import { press, screenOf } from '../../support/top-view.ts';
import { TracedCapture } from '../../support/traced-capture.ts';

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: web\r\n\r\n`;
const answer = (status: string) => `HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`;

/** Requests through two places: fast ones, a slow one, and one that fails. */
function capture(): TracedCapture {
  const made = new TracedCapture(['shop/client-1/any', 'shop/web-1/any']);
  const places = [
    { interfaceId: 0, ttl: 64 },
    { interfaceId: 1, ttl: 62 },
  ];
  made
    .connection(places, ['10.0.0.1', 40_000], ['10.0.0.2', 80], [1000, 9000])
    .handshake(1000)
    .send(0, get('/cart'), [1010, 1011])
    .send(1, answer('200 OK'), [1014, 1013])
    .send(0, get('/cart'), [1020, 1021])
    .send(1, answer('503 no'), [1220, 1219])
    .send(0, get('/slow'), [1310, 1410])
    .send(1, answer('200 OK'), [1512, 1412]);
  return made;
}

function opened() {
  const { model, session } = topModel();
  session.addNames([
    { address: '10.0.0.1', names: ['shop/client-1'] },
    { address: '10.0.0.2', names: ['shop/web-1'] },
  ]);
  session.push(capture().pcapng());
  session.end();
  model.refresh();
  return { view: paths.create(model), model };
}

test('routes are listed with their times and the hop that takes most of them', () => {
  const { view } = opened();
  const [head, first, second] = screenOf(view, 160);
  expect(head).toMatch(/^SERVICE +ROUTE +COUNT +FAILED +P50 +P99 +LOST +MOST TIME IN$/);
  expect(first).toMatch(/^web-1 +GET \/slow +1 .* 99 % shop\/client-1 → shop\/web-1 network$/);
  expect(second).toMatch(/^web-1 +GET \/cart +2 +1 .* 98 % shop\/web-1 server$/);
  expect(view.status).toBe('1 of 2 routes');
});

test('Enter shows the hops of a route, and its slowest request hop by hop', () => {
  const { view } = opened();
  screenOf(view, 160);
  press(view, 'down', 'enter');
  const text = screenOf(view, 160, 60).join('\n');
  expect(text).toMatch(/^web-1 GET \/cart: 2 requests, 1 failed/);
  expect(text).toMatch(/^shop\/client-1 → shop\/web-1 +network +2 /m);
  expect(text).toMatch(/^Slowest\n.* GET \/cart 503 shop\/client-1 → shop\/web-1 200 ms/m);
  expect(text).toMatch(/^ {2}shop\/web-1 +server +198 ms +█+/m);
  press(view, 'escape');
  expect(screenOf(view, 160)[0]).toMatch(/^SERVICE/);
});

test('an expression, and a pause, hold for routes too', async () => {
  const { model } = opened();
  const before = model.paths;
  expect(before.map(({ route }) => route).sort()).toEqual(['GET /cart', 'GET /slow']);
  expect(model.paths).toBe(before);
  model.show(await whereExpression('failed'));
  expect(model.paths.map(({ route, count }) => `${route} ${count}`)).toEqual(['GET /cart 1']);
  model.show(undefined);
  expect(model.paths).toHaveLength(2);
});

test('without requests it says so', () => {
  const { model } = topModel();
  expect(screenOf(paths.create(model))).toEqual(['No requests yet. A request is listed some seconds after its end.']);
});
