import { expect, test } from 'vitest';
import { Roles } from '../../../src/analyze/trace/roles.ts';

const PLACE = 1 << 16;
type Flow = readonly [client: number, server: number, isCertain?: boolean];

/** After which flow a call may belong to a request; 0 for after none. */
function joinedAfter(...flows: readonly Flow[]): number {
  const roles = new Roles();
  for (const [index, [client, server, isCertain = true]] of flows.entries()) {
    roles.add(PLACE, client, server, isCertain);
    if (roles.mayJoin) return index + 1;
  }
  return 0;
}

test('a call may belong to a request where a host takes requests and makes calls', () => {
  expect(joinedAfter([1, 2], [1, 3], [4, 2], [1, 2])).toBe(0);
  expect(joinedAfter([1, 2], [2, 3])).toBe(2);
  expect(joinedAfter([2, 3], [1, 2])).toBe(2);
  expect(joinedAfter([1, 2], [2, 1])).toBe(2);
  expect(joinedAfter([1, 1])).toBe(1);
});

test('a flow whose client is not certain may be a call, and a request, unless it is one of two hosts alone', () => {
  expect(joinedAfter([1, 2, false], [1, 2, false], [2, 1, false])).toBe(0);
  expect(joinedAfter([1, 2, false], [3, 2, false])).toBe(2);
  expect(joinedAfter([1, 2, false], [2, 3])).toBe(2);
  expect(joinedAfter([2, 3], [1, 2, false])).toBe(2);
});

test('hosts at different places are different ones', () => {
  const roles = new Roles();
  roles.add(PLACE, 1, 2, true);
  roles.add(2 << 16, 2, 3, true);
  expect(roles.mayJoin).toBe(false);
  expect(roles.mayServe(PLACE, 2)).toBe(true);
  expect(roles.mayCall(PLACE, 2)).toBe(false);
});
