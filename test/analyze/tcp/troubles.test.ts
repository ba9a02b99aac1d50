import { expect, test } from 'vitest';
import { TROUBLE, Troubles } from '../../../src/analyze/tcp/troubles.ts';

test('troubles are counted by connection, direction and kind; retransmissions are the sum of three', () => {
  const troubles = new Troubles();
  const kinds = Object.values(TROUBLE);
  for (const kind of kinds) troubles.add(5, 1, kind, kind + 1);
  troubles.add(5, 0, TROUBLE.lost, 100);
  expect(troubles.facts(5, 1)).toEqual({
    retransmissions: 6,
    fastRetransmissions: 1,
    timeoutRetransmissions: 2,
    spuriousRetransmissions: 3,
    outOfOrder: 4,
    duplicateAcks: 5,
    keepAlives: 6,
    zeroWindows: 7,
    windowFull: 8,
    lost: 9,
  });
  expect(troubles.facts(5, 0)).toMatchObject({ retransmissions: 0, outOfOrder: 0, windowFull: 0, lost: 100 });
  expect(Object.values(troubles.facts(4, 0)).every((count) => count === 0)).toBe(true);
  expect([troubles.retransmissions, troubles.retransmitting]).toEqual([6, 5]);
  troubles.add(2, 0, TROUBLE.fast);
  troubles.add(3, 0, TROUBLE.outOfOrder);
  expect([troubles.retransmissions, troubles.retransmitting]).toEqual([7, 2]);
});

test('a slot that is used again has none', () => {
  const troubles = new Troubles();
  troubles.add(1, 0, TROUBLE.timeout);
  troubles.waits.nagle(1, 0);
  troubles.forget(1);
  expect(troubles.facts(1, 0).timeoutRetransmissions).toBe(0);
  expect(troubles.waits.has(1)).toBe(false);
});
