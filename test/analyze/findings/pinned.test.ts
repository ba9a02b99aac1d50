import { expect, test } from 'vitest';
import type { Exchange } from '../../../src/analyze/record/event.ts';
import { Judged } from '../../support/found-in.ts';

const GRPC: Partial<Exchange> = { protocol: 'grpc', label: 'shop.Cart/Get', route: 'shop.Cart/Get', status: 'OK' };
const HTTP1: Partial<Exchange> = { fields: { http: { version: '1.1' } } };

/** Requests of one client to pods of web.shop, all captured. @param to last bytes of pods, one for each connection */
function found(to: readonly number[], requests: number, kind: Partial<Exchange>, pods = 2) {
  const judged = new Judged();
  for (let pod = 1; pod <= pods; pod += 1) {
    judged.names.add(`10.0.0.${pod + 10}`, { pod: `web-${pod}`, namespace: 'shop', service: 'web' }, 0);
    judged.names.addInterface(pod, `shop/web-${pod}/any`, `node=n pod=shop/web-${pod} uid=u`);
  }
  for (const last of to) {
    const flow = judged.flow(1, last + 10);
    for (let index = 0; index < requests; index += 1) judged.exchange(flow, index * 10, 1, kind);
  }
  return judged.found;
}

test('a captured pod that gets nothing beside a pinned HTTP/2 connection', () => {
  expect(found([1], 40, GRPC)).toMatchObject([
    {
      code: 'UNEVEN_BALANCING',
      subject: 'web.shop',
      message:
        'shop/web-2 of web.shop gets no requests other than probes: all 40 came over 1 HTTP/2 connection, and a connection stays with one pod.',
    },
  ]);
  expect(found([1, 2], 40, GRPC, 3)).toMatchObject([{ code: 'UNEVEN_BALANCING' }]);
});

test('few requests, enough connections, or HTTP/1.1: nothing', () => {
  expect(found([1], 39, GRPC)).toEqual([]);
  expect(found([1, 1], 40, GRPC)).toEqual([]);
  expect(found([1], 40, HTTP1)).toEqual([]);
  expect(found([1, 2], 40, GRPC)).toEqual([]);
});
