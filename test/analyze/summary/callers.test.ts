import { expect, it } from 'vitest';
import { CALLER_ROWS_MAXIMUM } from '../../../src/analyze/summary/caller-rows.ts';
import { Summary } from '../../../src/analyze/summary/summary.ts';
import { CLIENT, exchange, host, madeAnalysis, SERVER, tcpFacts } from '../made-events.ts';

function made() {
  const analysis = madeAnalysis();
  const summary = new Summary(analysis.hosts, analysis.names);
  const report = () => summary.report(analysis.recorder, { first: 0, last: 2e9 });
  return { ...analysis, summary, report, callers: () => report().callers };
}

it('has a row for each client workload, Service and protocol', () => {
  const { names, summary, flow, hosts, callers } = made();
  names.add(SERVER, { namespace: 'shop', pod: 'web-1', service: 'web' }, 0);
  names.add(CLIENT, { namespace: 'shop', pod: 'client-6d4cf56db6-x2x4v' }, 0);
  names.add('10.244.1.77', { namespace: 'shop', pod: 'client-6d4cf56db6-bbbbb' }, 0);
  const other = flow({ clientHost: host(hosts, '10.244.1.77') });
  summary.event(exchange(), flow());
  summary.event(exchange({ status: '503', failed: true, responseEnd: 90e6 }), other);
  summary.event(exchange({ protocol: 'grpc', incomplete: 'capture ended' }), other);
  expect(callers()).toMatchObject([
    {
      client: 'shop/client',
      service: 'web.shop',
      protocol: 'http',
      count: 2,
      rate: 1,
      failed: 1,
      requestBytes: 160,
      responseBytes: 1024,
      latency: { count: 2, max: 90e6 },
    },
    { client: 'shop/client', service: 'web.shop', protocol: 'grpc', count: 1, latency: undefined },
  ]);
});

it('says kubelet of probes, and turns around where the server asks', () => {
  const { summary, flow, callers } = made();
  summary.event(exchange({ probe: true }), flow());
  summary.event(exchange({ requester: 1 }), flow());
  expect(callers().map(({ client, service }) => [client, service])).toEqual([
    [SERVER, CLIENT],
    ['kubelet', SERVER],
  ]);
});

it('names clients by what became known of them later', () => {
  const { names, summary, flow, callers } = made();
  summary.event(exchange(), flow());
  names.add(CLIENT, { namespace: 'shop', pod: 'client' }, 100e9);
  summary.event(exchange(), flow());
  expect(callers().map(({ client, count }) => [client, count])).toEqual([['shop/client', 2]]);
});

it('counts connections that failed before any exchange', () => {
  const { summary, flow, callers } = made();
  const silent = { packets: 1, bytes: 60, payload: 0 };
  summary.flowEnded(
    flow({
      protocol: undefined,
      server: silent,
      client: silent,
      tcp: { ...tcpFacts, state: 'refused', resetBy: 'server' },
    }),
  );
  expect(callers()).toMatchObject([{ client: CLIENT, service: SERVER, protocol: 'tcp', count: 1, failed: 1 }]);
});

it("the connections of all clients add up to the Service's, also of kubelet, whose did not fail", () => {
  const { summary, flow, hosts, report } = made();
  const refused = { tcp: { ...tcpFacts, state: 'refused', resetBy: 'server' } } as const;
  for (const id of [0, 1, 2]) summary.flowEnded(flow({ id, protocol: undefined, ...refused }));
  const kubelet = flow({ id: 3, clientHost: host(hosts, '10.244.1.1'), tcp: tcpFacts });
  summary.event(exchange({ probe: true }), kubelet);
  summary.flowEnded(kubelet);
  const { services, callers } = report();
  const ofTcp = ({ protocol }: { readonly protocol: string }) => protocol === 'tcp';
  expect(services.filter(ofTcp)).toMatchObject([{ service: SERVER, count: 4, failed: 3 }]);
  expect(callers.filter(ofTcp).map(({ client, count, failed }) => [client, count, failed])).toEqual([
    [CLIENT, 3, 3],
    ['kubelet', 1, 0],
  ]);
});

it('counts as `other` past its bound', () => {
  const { summary, flow, hosts, callers } = made();
  const many = CALLER_ROWS_MAXIMUM + 500;
  for (let index = 0; index < many; index += 1) {
    const clientHost = host(hosts, `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`);
    summary.event(exchange(), flow({ clientHost }));
  }
  const rows = callers();
  expect(rows).toHaveLength(CALLER_ROWS_MAXIMUM);
  expect(rows[0]).toMatchObject({ client: 'other', service: 'other', count: 501 });
  expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(many);
});
