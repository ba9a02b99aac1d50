import { expect, test } from 'vitest';
import { CaptureAnalysis } from '../../../src/analyze/engine/capture-analysis.ts';
import { type Passed, TracedCapture } from '../../support/traced-capture.ts';

const PLACES: readonly Passed[] = [
  { interfaceId: 0, server: ['10.96.0.7', 80], ttl: 64 },
  { interfaceId: 1, server: ['10.244.2.10', 8080], ttl: 62 },
];

/** A request that the client and the pod behind a Service's address saw. */
function capture(): Buffer {
  const traced = new TracedCapture(['shop/client-1/any', 'shop/web-0/any']);
  const connection = traced.connection(PLACES, ['10.244.1.9', 40_000], ['10.244.2.10', 8080], [1_000, 2_000]);
  connection.handshake(1, 0.05);
  connection.send(0, 'GET /cart HTTP/1.1\r\nHost: web.shop\r\n\r\n', [5, 5.1]);
  connection.send(1, 'HTTP/1.1 204 No Content\r\n\r\n', [7.2, 7.1]);
  return traced.pcapng();
}

test.each([
  [false, [0, 1]],
  [true, [0]],
])('what the other leg carries: firstLegsOnly %s', (firstLegsOnly, exchanges) => {
  const events: (string | number)[][] = [];
  const legs: (number | undefined)[][] = [];
  const flows: number[] = [];
  const analysis = new CaptureAnalysis(
    {
      event: ({ kind, label }, { id, sameAs }) =>
        void events.push([kind, label, sameAs === undefined ? id : sameAs.id]),
      legJoined: ({ id, sameAs }) => void legs.push([id, sameAs?.id]),
      flowEnded: ({ id }) => void flows.push(id),
    },
    { detail: true, showSecrets: false, firstLegs: true, firstLegsOnly },
  );
  analysis.push(capture());
  analysis.end();
  expect(events).toEqual(exchanges.map(() => ['exchange', 'GET /cart', legs[0]?.[1]]));
  expect(legs).toHaveLength(1);
  expect([...(legs[0] ?? [])].sort()).toEqual([0, 1]);
  expect(flows.sort()).toEqual([0, 1]);
});
