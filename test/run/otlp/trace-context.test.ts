import { expect, it } from 'vitest';
import { traceContextOf } from '../../../src/run/otlp/trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const HALF = 'a3ce929d0e0e4736';
const PADDED = `0000000000000000${HALF}`;

const w3c = { traceparent: `00-${TRACE}-${SPAN}-03`, requestHeaders: { b3: `${HALF}-${HALF}-0` } };

it.each([
  ['traceparent comes first, with all its flags', w3c, { traceId: TRACE, parentSpanId: SPAN, sampled: true, flags: 3 }],
  [
    'b3',
    { requestHeaders: { b3: `${TRACE}-${SPAN}-1` } },
    { traceId: TRACE, parentSpanId: SPAN, sampled: true, flags: 1 },
  ],
  [
    'b3 with a parent',
    { requestHeaders: { b3: `${TRACE}-${SPAN}-0-${HALF}` } },
    { traceId: TRACE, parentSpanId: SPAN, sampled: false, flags: 0 },
  ],
  [
    'b3 of 64 bits that leaves sampling open',
    { requestHeaders: { b3: `${HALF}-${SPAN}` } },
    { traceId: PADDED, parentSpanId: SPAN, sampled: undefined, flags: 1 },
  ],
  [
    'X-B3-…',
    { requestHeaders: { 'x-b3-traceid': HALF, 'x-b3-spanid': SPAN, 'x-b3-sampled': '0' } },
    { traceId: PADDED, parentSpanId: SPAN, sampled: false, flags: 0 },
  ],
  [
    'X-B3-Flags',
    { requestHeaders: { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-flags': '1' } },
    { traceId: TRACE, parentSpanId: SPAN, sampled: true, flags: 1 },
  ],
  ['a b3 that only says not to sample', { requestHeaders: { b3: '0' } }, undefined],
  ['a trace of zeros', { requestHeaders: { b3: `${'0'.repeat(32)}-${SPAN}-1` } }, undefined],
  ['a short trace of zeros', { requestHeaders: { b3: `${'0'.repeat(16)}-${SPAN}-1` } }, undefined],
  ['a span of zeros', { requestHeaders: { b3: `${TRACE}-${'0'.repeat(16)}-1` } }, undefined],
  ['a trace without a span', { requestHeaders: { 'x-b3-traceid': TRACE } }, undefined],
  ['upper case', { requestHeaders: { b3: `${TRACE.toUpperCase()}-${SPAN}-1` } }, undefined],
  ['a length between', { requestHeaders: { b3: `${TRACE.slice(0, 20)}-${SPAN}-1` } }, undefined],
  ['a line feed behind', { requestHeaders: { b3: `${TRACE}-${SPAN}-1\n` } }, undefined],
  ['no headers', {}, undefined],
  ['no HTTP', undefined, undefined],
])('%s', (_name, http, expected) => {
  expect(traceContextOf(http)).toEqual(expected);
});
