import { expect, it } from 'vitest';
import { durationOf, observedSide, verbOf } from '../../../src/run/otlp/conventions.ts';
import type { MetricName } from '../../../src/run/otlp/metric-table.ts';

const OK = { status: '', failed: false, probe: false };

it.each<[string, string, MetricName, Record<string, unknown>]>([
  ['http', 'PURGE /a', 'http.server.request.duration', { 'http.request.method': '_OTHER', 'http.route': '/a' }],
  ['grpc', '/shop.Cart/Add', 'rpc.server.call.duration', { 'rpc.system.name': 'grpc', 'rpc.method': 'shop.Cart/Add' }],
  ['cql', 'SELECT shop.carts', 'db.client.operation.duration', { 'db.system.name': 'cassandra' }],
  ['tds', 'SELECT carts', 'db.client.operation.duration', { 'db.system.name': 'microsoft.sql_server' }],
  ['redis', 'GET', 'db.client.operation.duration', { 'db.operation.name': 'GET', 'db.collection.name': undefined }],
  ['kafka', 'Produce orders', 'messaging.client.operation.duration', { 'messaging.destination.name': 'orders' }],
  ['dns', 'A', 'dns.lookup.duration', { 'ksnoop.dns.type': 'A' }],
  ['smtp', 'MAIL', 'ksnoop.exchange.duration', { 'network.protocol.name': 'smtp', 'ksnoop.route': 'MAIL' }],
])('%s %s has the metric %s', (protocol, route, metric, attributes) => {
  const named = durationOf({ protocol, route, ...OK });
  expect(named.metric).toBe(metric);
  expect(named.attributes).toMatchObject(attributes);
  expect(named.attributes['error.type']).toBeUndefined();
});

it('a failure has its status as error.type, and only an HTTP status is a status code', () => {
  const failed = { protocol: 'http', route: 'GET /', failed: true, probe: true };
  expect(durationOf({ ...failed, status: '503' }).attributes).toMatchObject({
    'error.type': '503',
    'http.response.status_code': 503,
    'ksnoop.probe': true,
  });
  const reset = durationOf({ ...failed, status: 'reset by server' }).attributes;
  expect(reset).toMatchObject({ 'error.type': 'reset by server', 'http.response.status_code': undefined });
  expect(durationOf({ ...failed, status: '' }).attributes['error.type']).toBe('other');
});

it('databases and brokers are measured for their client', () => {
  expect(['http', 'grpc', 'dns', 'tls'].map(observedSide)).toEqual([1, 1, 1, 1]);
  expect(['postgresql', 'redis', 'kafka'].map(observedSide)).toEqual([0, 0, 0]);
  expect(verbOf('COMMIT')).toEqual({ verb: 'COMMIT', rest: '' });
});
