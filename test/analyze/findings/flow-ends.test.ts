import { expect, test } from 'vitest';
import { FlowEnds } from '../../../src/analyze/findings/flow-ends.ts';
import { foundIn, Judged } from '../../support/found-in.ts';

const judged = new Judged();

function filterOf(...pairs: (readonly [client: number, server: number, port: number])[]): string | undefined {
  const ends = new FlowEnds(judged.hosts);
  const flows = pairs.map(([client, server, serverPort]) => judged.flow(client, server, { serverPort }));
  for (const flow of flows) ends.add(flow);
  return ends.filter(flows.map(({ id }) => id));
}

test('a filter for the packets of flows: their servers, and the client where it is one', () => {
  expect(filterOf([1, 2, 80])).toBe('host 10.0.0.2 and port 80 and host 10.0.0.1');
  expect(filterOf([1, 2, 80], [3, 2, 80])).toBe('host 10.0.0.2 and port 80');
  expect(filterOf([1, 2, 80], [1, 4, 81])).toBe(
    '((host 10.0.0.2 and port 80) or (host 10.0.0.4 and port 81)) and host 10.0.0.1',
  );
  expect(filterOf([1, 2, 80], [3, 4, 81])).toBe('(host 10.0.0.2 and port 80) or (host 10.0.0.4 and port 81)');
  expect(filterOf([1, 2, 0])).toBe('host 10.0.0.2 and host 10.0.0.1');
});

test('no filter for no flows, unknown ones, or too many servers', () => {
  expect(filterOf()).toBeUndefined();
  expect(new FlowEnds(judged.hosts).filter([7])).toBeUndefined();
  expect(filterOf([1, 2, 1], [1, 2, 2], [1, 2, 3], [1, 2, 4], [1, 2, 5])).toBeUndefined();
  const ends = new FlowEnds(judged.hosts);
  ends.add({ ...judged.flow(1, 2), id: 3 });
  ends.add({ ...judged.flow(1, 2), id: 3 + 65_536 });
  expect(ends.filter([3])).toBeUndefined();
});

test('a finding has the filter of its evidence', () => {
  const syns = [0, 1000, 3000].map((at) => ({ side: 0 as const, sequence: 1, flags: 'S', at }));
  const [finding] = foundIn(syns);
  expect(finding?.evidence[0]?.filter).toMatch(/^host 10\.0\.0\.2 and port \d+ and host 10\.0\.0\.1$/);
});
