import { expect, test } from 'vitest';
import type { TcpFacts } from '../../../src/analyze/flow/flow-facts.ts';
import { codesOf, Judged } from '../../support/found-in.ts';

const UNANSWERED: Partial<TcpFacts> = { state: 'unanswered', syns: 3, synSpan: 3e9 };
const OPEN: Partial<TcpFacts> = { state: 'closed', syns: 1 };
const LATE: Partial<TcpFacts> = { ...OPEN, syns: 2 };

/** Pods web-1 (10.0.0.1) and web-2 of Service web, whose own address is 10.0.0.9. */
function shop(): Judged {
  const judged = new Judged();
  for (const last of [1, 2]) {
    judged.names.add(
      `10.0.0.${last}`,
      { namespace: 'shop', pod: `web-${last}`, service: 'web', node: `node${last}` },
      0,
    );
  }
  judged.names.add('10.0.0.9', { namespace: 'shop', service: 'web' }, 0);
  return judged;
}

/** Connections one after another. */
function connect(judged: Judged, client: number, server: number, count: number, tcp: Partial<TcpFacts>): void {
  for (let index = 0; index < count; index++) {
    judged.ended(judged.flow(client, server), index * 10, tcp);
  }
}

test('a pod that reaches its own Service except where it would reach itself', () => {
  const judged = shop();
  connect(judged, 1, 9, 3, UNANSWERED);
  connect(judged, 1, 9, 4, OPEN);
  expect(judged.found).toMatchObject([{ code: 'HAIRPIN_FAILS', confidence: 'likely', subject: 'web.shop' }]);
  expect(judged.found[0]?.message).toContain('3 connections of shop/web-1');
  expect(judged.found[0]?.evidence).toHaveLength(1);
});

test('connections that come up with a repeated SYN count too, and make it a hint; checks come before changes', () => {
  const judged = shop();
  connect(judged, 1, 9, 3, UNANSWERED);
  connect(judged, 1, 9, 4, OPEN);
  const [likely] = judged.found;
  expect(likely?.next).toMatch(/^On the node of shop\/web-1: read hairpin_mode .*Only if hairpin_mode is 0, turn on/);
  expect(likely?.otherwise).toMatch(/^a rule on the node/);
  connect(judged, 1, 9, 2, LATE);
  const [hint] = judged.found;
  expect(hint).toMatchObject({ code: 'HAIRPIN_FAILS', confidence: 'hint', cases: 5 });
  expect(hint?.message).toContain(
    '3 connections of shop/web-1 got no response to the SYN and 2 connections came up only with a repeated SYN',
  );
  expect(hint?.otherwise).toContain('or packets are lost');
  expect(hint?.evidence).toHaveLength(2);
});

test('repeated SYNs alone are enough where other clients need none, and not where they do, or where they are few', () => {
  const late = (own: number, ownOpen: number, others: number, othersOpen: number) => {
    const judged = shop();
    connect(judged, 1, 9, own, LATE);
    connect(judged, 1, 9, ownOpen, OPEN);
    connect(judged, 7, 9, others, LATE);
    connect(judged, 7, 9, othersOpen, OPEN);
    return codesOf(judged.found);
  };
  expect(late(8, 8, 0, 0)).toContain('HAIRPIN_FAILS');
  expect(late(8, 8, 1, 19)).toContain('HAIRPIN_FAILS');
  expect(late(8, 8, 5, 15)).not.toContain('HAIRPIN_FAILS');
  expect(late(2, 2, 0, 0)).not.toContain('HAIRPIN_FAILS');
  expect(late(3, 60, 0, 0)).not.toContain('HAIRPIN_FAILS');
});

test('a Service that nobody reaches, one without other pods, and too few failures are not hairpin', () => {
  const others = shop();
  connect(others, 1, 9, 3, UNANSWERED);
  connect(others, 1, 9, 4, OPEN);
  connect(others, 7, 9, 1, UNANSWERED);
  expect(codesOf(others.found)).not.toContain('HAIRPIN_FAILS');
  const alone = shop();
  connect(alone, 1, 9, 5, UNANSWERED);
  expect(codesOf(alone.found)).toEqual(['CONNECT_TIMEOUT']);
  const few = shop();
  connect(few, 1, 9, 2, UNANSWERED);
  connect(few, 1, 9, 4, OPEN);
  expect(codesOf(few.found)).not.toContain('HAIRPIN_FAILS');
});

/** Pods a-1, a-2 … of node1 and b-1, b-2 … of node2: addresses 11 … and 21 … */
function nodes(): Judged {
  const judged = new Judged();
  for (const [letter, node, base] of [
    ['a', 'node1', 10],
    ['b', 'node2', 20],
  ] as const) {
    for (let index = 1; index <= 3; index++) {
      judged.names.add(`10.0.0.${base + index}`, { namespace: 'shop', pod: `${letter}-${index}`, node }, 0);
    }
  }
  return judged;
}

test('no pod of one node reaches a pod of the other, while connections within the nodes work', () => {
  const judged = nodes();
  for (const index of [1, 2, 3]) connect(judged, 10 + index, 20 + index, 2, UNANSWERED);
  connect(judged, 11, 12, 1, OPEN);
  connect(judged, 21, 22, 1, OPEN);
  const found = judged.found.find(({ code }) => code === 'NODE_PATH_BROKEN');
  expect(found).toMatchObject({ severity: 'error', confidence: 'likely', subject: 'node1 → node2' });
  expect(found?.message).toContain('6 connections between 3 pairs of pods');
});

test('one pair that works, too few pairs, or a node of which nothing works is no broken path', () => {
  const works = nodes();
  for (const index of [1, 2, 3]) connect(works, 10 + index, 20 + index, 2, UNANSWERED);
  connect(works, 11, 22, 1, OPEN);
  const few = nodes();
  connect(few, 11, 21, 9, UNANSWERED);
  connect(few, 11, 22, 9, UNANSWERED);
  connect(few, 11, 12, 1, OPEN);
  connect(few, 21, 22, 1, OPEN);
  const dead = nodes();
  for (const index of [1, 2, 3]) connect(dead, 10 + index, 20 + index, 2, UNANSWERED);
  connect(dead, 11, 12, 1, OPEN);
  for (const judged of [works, few, dead]) expect(codesOf(judged.found)).not.toContain('NODE_PATH_BROKEN');
});
