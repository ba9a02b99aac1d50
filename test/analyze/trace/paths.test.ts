import { expect, test } from 'vitest';
import { TracePaths } from '../../../src/analyze/trace/paths.ts';
import type { HopRecord, TraceRecord } from '../../../src/analyze/trace/record.ts';

const HOP: HopRecord = {
  kind: 'network',
  from: 'shop/client',
  to: 'shop/web-1',
  service: undefined,
  label: 'GET /',
  depth: 0,
  latency: 1e6,
  oneWay: undefined,
  lost: [],
  confidence: 'proven',
  calls: undefined,
  flow: 0,
};

/** A request of one hop. */
const request = (hop: Partial<HopRecord>) =>
  ({
    kind: 'trace',
    protocol: 'http',
    label: 'GET /',
    total: 2e6,
    hops: [{ ...HOP, ...hop }],
  }) as unknown as TraceRecord;

test.each<[string, Partial<HopRecord>]>([
  ['leads elsewhere', { to: 'shop/web-2' }],
  ['begins elsewhere', { from: 'shop/edge' }],
  ['is of another kind', { kind: 'server' }],
  ['is a call deeper', { depth: 1 }],
])('a hop that %s is another one, though it comes at the same place of a request as the one before', (_, other) => {
  const paths = new TracePaths();
  for (const hop of [{}, other, {}]) paths.add(request(hop));
  const [path] = paths.stats();
  expect(path?.hops.map(({ latency }) => latency?.count).sort()).toEqual([1, 2]);
});
