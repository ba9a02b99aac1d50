import { expect, test } from 'vitest';
import { NamespaceCapture, ringFor } from '../../../src/agent/session/namespace-capture.ts';

const namespace = { fd: 0, inode: 7, name: 'node/a', description: 'd', interfaces: () => [], alive: () => true };
const held = { ...namespace, owner: undefined, others: 0, age: () => undefined };

test('targets of one namespace share a capture when they have the same filter', () => {
  const capture = new NamespaceCapture(held, { key: 'a', kind: 'host' });
  expect(capture.takes(held, { key: 'b', kind: 'host' })).toBe(true);
  expect(capture.takes(held, { key: 'b', kind: 'host', filter: 'port 80' })).toBe(false);
  expect(capture.takes({ ...held, inode: 8 }, { key: 'b', kind: 'host' })).toBe(false);
  capture.ending = true;
  expect(capture.takes(held, { key: 'b', kind: 'host' })).toBe(false);
});

test('rings share their memory, and a session that follows keeps some for those that join', () => {
  const shares = (...rings: number[]) =>
    new Set(rings.map((ringKib) => Object.assign(new NamespaceCapture(held, { key: 'a', kind: 'host' }), { ringKib })));
  expect(ringFor(shares(0), false, false)).toBe(32 * 1024);
  expect(ringFor(shares(...Array(16).fill(0)), false, false)).toBe(8 * 1024);
  expect(ringFor(shares(...Array(16).fill(0)), true, false)).toBe(4 * 1024);
  expect(ringFor(shares(32 * 1024, 32 * 1024, 0), true, true)).toBe(16 * 1024);
  expect(ringFor(shares(...Array(4).fill(32 * 1024), 0), true, true)).toBe(1024);
});
