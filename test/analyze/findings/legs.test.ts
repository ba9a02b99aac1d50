import { expect, test } from 'vitest';
import type { Exchange } from '../../../src/analyze/record/event.ts';
import { codesOf, Judged } from '../../support/found-in.ts';

const GRPC: Partial<Exchange> = { protocol: 'grpc', label: 'shop.Cart/Get', route: 'shop.Cart/Get', status: 'OK' };

/** A Service (last byte 100) with three pods (11 to 13), and a client (1); the client's and the pods' interfaces are captured. */
function shop(): Judged {
  const judged = new Judged();
  judged.names.add('10.0.0.100', { service: 'web', namespace: 'shop' }, 0);
  judged.names.addInterface(0, 'shop/client-1/any', 'node=n pod=shop/client-1 uid=c');
  for (let pod = 1; pod <= 3; pod += 1) {
    judged.names.add(`10.0.0.${pod + 10}`, { pod: `web-${pod}`, namespace: 'shop', service: 'web' }, 0);
    judged.names.addInterface(pod, `shop/web-${pod}/any`, `node=n pod=shop/web-${pod} uid=u`);
  }
  return judged;
}

test('requests to the address of a Service count for the pod behind it, once however often they were seen', () => {
  const judged = shop();
  const first = judged.flow(1, 100);
  const sameAs = { id: first.id, serverHost: first.serverHost };
  const atNode = judged.flow(1, 11, { interfaceId: 9, sameAs });
  const atPod = judged.flow(1, 11, { interfaceId: 1, sameAs });
  for (let index = 0; index < 60; index += 1)
    for (const flow of [first, atNode, atPod]) judged.exchange(flow, index * 10, 1, GRPC);
  expect(judged.found).toMatchObject([{ code: 'UNEVEN_BALANCING', subject: 'web.shop', cases: 60 }]);
  const [{ message } = { message: '' }] = judged.found;
  expect(message).toMatch(
    /^shop\/web-2 and shop\/web-3 of web\.shop get no requests other than probes: all 60 came over 1 /,
  );
});

test('a connection that was seen at a pod from the start is not counted again', () => {
  const judged = shop();
  const first = judged.flow(1, 11, { interfaceId: 1 });
  const again = judged.flow(1, 11, { sameAs: { id: first.id, serverHost: first.serverHost } });
  for (let index = 0; index < 60; index += 1)
    for (const flow of [first, again]) judged.exchange(flow, index * 10, 1, GRPC);
  expect(judged.found).toMatchObject([{ code: 'UNEVEN_BALANCING', cases: 60 }]);
});

test('SYNs without a response that were seen before and behind a Service are one connection', () => {
  const judged = shop();
  judged.names.add('10.0.0.11', { pod: 'web-1', namespace: 'shop', service: 'other' }, 0);
  judged.exchange(judged.flow(1, 12, { interfaceId: 2 }), 0, 1);
  const lost = { state: 'unanswered', syns: 4, synSpan: 7e9 } as const;
  for (let index = 0; index < 3; index += 1) {
    const clientPort = 50_000 + index;
    judged.ended(judged.flow(1, 100, { clientPort }), index, lost);
    judged.ended(judged.flow(1, 11, { clientPort, interfaceId: 1 }), index, lost);
  }
  expect(judged.found).toMatchObject([{ code: 'CONNECT_TIMEOUT', subject: 'web.shop', cases: 3 }]);
  // At one place they are two connections.
  const alone = shop();
  alone.exchange(alone.flow(1, 12), 0, 1);
  for (const server of [100, 11])
    for (const clientPort of [1, 2]) alone.ended(alone.flow(1, server, { clientPort }), 0, lost);
  expect(alone.found[0]).toMatchObject({ cases: 4 });
});

test('SYNs without a response are to the Service, also where the connection at the pod ends first', () => {
  const judged = shop();
  judged.exchange(judged.flow(1, 12, { interfaceId: 2 }), 0, 1);
  for (let index = 0; index < 3; index += 1) {
    const clientPort = 50_000 + index;
    const first = judged.flow(1, 100, { clientPort });
    const sameAs = { id: first.id, serverHost: first.serverHost, unopened: true };
    for (const flow of [judged.flow(1, 11, { clientPort, interfaceId: 1, sameAs }), first])
      judged.ended(flow, index, { state: 'unanswered', syns: 4, synSpan: 7e9 });
  }
  expect(judged.found).toMatchObject([{ code: 'CONNECT_TIMEOUT', subject: 'web.shop', cases: 3 }]);
  expect(judged.found[0]?.evidence.map(({ text }) => text)).toContain('the SYN arrived at shop/web-1 port 80');
});

test('a stream that is refused has no response that could be cut', () => {
  const judged = new Judged();
  const flow = judged.flow(1, 2);
  const refused = { status: 'RST REFUSED_STREAM', failed: true, incomplete: 'reset', endedBy: 1 } as const;
  for (let index = 0; index < 5; index += 1)
    judged.exchange(flow, index, 1, { ...refused, responseTime: undefined, responseEnd: undefined, responseBytes: 13 });
  expect(codesOf(judged.found)).toEqual(['HTTP2_STREAM_LIMIT']);
});

test('connections that a pod behind a Service refuses count once, with the pod as evidence', () => {
  const judged = shop();
  for (let index = 0; index < 4; index += 1) {
    const clientPort = 50_000 + index;
    const first = judged.flow(1, 100, { clientPort });
    const sameAs = { id: first.id, serverHost: first.serverHost, unopened: true };
    judged.ended(first, index, { state: 'refused', resetBy: 'server' });
    judged.ended(judged.flow(1, 11, { clientPort, interfaceId: 1, sameAs }), index, {
      state: 'refused',
      resetBy: 'server',
    });
  }
  expect(judged.found).toMatchObject([{ code: 'POD_NOT_LISTENING', subject: 'web.shop', cases: 4, attempts: 4 }]);
  expect(judged.found[0]?.evidence.map(({ text }) => text)).toContain('the reset left shop/web-1 port 80');
});
