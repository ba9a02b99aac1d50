import { expect, test } from 'vitest';
import { grpcMethod, grpcStatus, grpcTimeout } from '../../../../src/analyze/protocols/http2/grpc.ts';

test.each([
  ['0', 'OK'],
  ['4', 'DEADLINE_EXCEEDED'],
  ['14', 'UNAVAILABLE'],
  ['16', 'UNAUTHENTICATED'],
  ['17', 'STATUS 17'],
  ['99', 'STATUS 99'],
  ['100', undefined],
  ['', undefined],
  ['-1', undefined],
  ['OK', undefined],
])('grpc-status %j is %s', (code, name) => {
  expect(grpcStatus(code)).toBe(name);
});

test.each([
  ['1H', 3600e9],
  ['2M', 120e9],
  ['300m', 300e6],
  ['5u', 5e3],
  ['7n', 7],
  ['99999999S', 99_999_999e9],
  ['100000000S', undefined],
  ['S', undefined],
  ['1h', undefined],
])('grpc-timeout %s is %s ns', (text, time) => {
  expect(grpcTimeout(text)).toBe(time);
});

test('a path is a service and a method', () => {
  expect(grpcMethod('/shop.Cart/Add?x')).toEqual({ service: 'shop.Cart', method: 'Add' });
  expect(grpcMethod('shop')).toEqual({ service: '', method: '' });
});
