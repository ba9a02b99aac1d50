import { expect, test } from 'vitest';
import { TracedCapture } from '../../support/traced-capture.ts';
import { brief, CLIENT, get, ok, SERVICE, sum, tracesOf, WEB } from './traces.ts';

test.each(['vxlan', 'geneve', 'ipip', 'gre'] as const)(
  'a node whose interface shows the request inside of %s is a place on its way',
  (tunnel) => {
    const capture = new TracedCapture(['shop/client-1/any', 'node1/eth0', 'node2/eth0', 'shop/web-1/any']);
    const places = [
      { interfaceId: 0, ttl: 64 },
      { interfaceId: 1, ttl: 63, server: [WEB, 8080] as const, tunnel },
      { interfaceId: 2, ttl: 63, server: [WEB, 8080] as const, tunnel, ahead: 250 },
      { interfaceId: 3, ttl: 62, server: [WEB, 8080] as const, ahead: 250 },
    ];
    capture
      .connection(places, [CLIENT, 40_000], [SERVICE, 80], [1000, 9000])
      .handshake(1000)
      .send(0, get('/cart'), [1010, 1011, 1021, 1023])
      .send(1, ok(), [1048, 1047, 1037, 1034]);
    const [one, ...others] = tracesOf(capture);
    expect(others).toEqual([]);
    expect(one?.hops.filter(({ latency }) => latency > 0).map(brief)).toEqual([
      'shop/client-1 > node1/eth0 network 2',
      'node1/eth0 > node2/eth0 network 20',
      'node2/eth0 > shop/web-1 network 5',
      'shop/web-1 server 11',
    ]);
    expect(sum(one?.hops ?? [])).toBe(one?.total);
  },
);
