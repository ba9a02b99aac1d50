import { expect, it } from 'vitest';
import { Histogram } from '../../../src/analyze/summary/histogram.ts';
import { prometheusText } from '../../../src/run/otlp/prometheus-text.ts';

const web = {
  'service.name': 'web',
  'service.namespace': 'shop',
  'service.instance.id': 'shop/web-1',
  'k8s.node.name': 'node1',
} as const;

function histogram(...seconds: number[]): Histogram {
  const made = new Histogram();
  for (const each of seconds) made.record(each * 1e9);
  return made;
}

it('writes counters with the labels that OTLP would get, escaped', () => {
  const attributes = { 'network.protocol.name': 'http', 'error.type': 'a "b"\n\\', 'server.address': undefined };
  expect(prometheusText([{ resource: web, metric: 'ksnoop.exchanges', attributes, value: 7 }])).toBe(
    [
      '# HELP ksnoop_exchanges_total exchanges by protocol, also those without a complete response, which the durations lack',
      '# TYPE ksnoop_exchanges_total counter',
      'ksnoop_exchanges_total{job="shop/web",instance="shop/web-1",network_protocol_name="http",error_type="a \\"b\\"\\n\\\\"} 7',
      '',
    ].join('\n'),
  );
});

it('writes histograms whose buckets are exact and cumulative', () => {
  const durations = histogram(0.000_05, 0.001, 0.25, 0.250_1, 3, 100);
  const text = prometheusText([
    { resource: { 'service.name': 'web' }, metric: 'http.server.request.duration', attributes: {}, value: durations },
  ]);
  const found = new Map(
    [...text.matchAll(/_bucket\{job="web",le="([^"]+)"\} (\d+)/g)].map(([, le, count]) => [le, Number(count)]),
  );
  expect(found.size).toBe(21);
  expect([found.get('0.0001220703125'), found.get('0.0009765625'), found.get('0.001953125')]).toEqual([1, 1, 2]);
  expect([found.get('0.25'), found.get('0.5'), found.get('2'), found.get('4')]).toEqual([3, 4, 4, 5]);
  expect([found.get('64'), found.get('+Inf')]).toEqual([5, 6]);
  expect(text).toContain('http_server_request_duration_seconds_count{job="web"} 6');
  expect(text).toMatch(/_sum\{job="web"\} 103\.50115/);
});

it('adds up what has the same labels, and writes nothing of nothing', () => {
  const attributes = {};
  const text = prometheusText([
    { resource: web, metric: 'ksnoop.tcp.io', attributes, value: 2 },
    { resource: { ...web, 'k8s.node.name': 'node2' }, metric: 'ksnoop.tcp.io', attributes, value: 3 },
    { resource: web, metric: 'dns.lookup.duration', attributes, value: histogram(1) },
    { resource: { ...web, 'k8s.node.name': 'node2' }, metric: 'dns.lookup.duration', attributes, value: histogram(1) },
  ]);
  expect(text).toContain('ksnoop_tcp_io_bytes_total{job="shop/web",instance="shop/web-1"} 5');
  expect(text).toContain('dns_lookup_duration_seconds_count{job="shop/web",instance="shop/web-1"} 2');
  expect(prometheusText([])).toBe('');
});
