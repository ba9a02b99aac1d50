import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { USED_TICKETS } from '../../../src/agent/limits.ts';
import { TicketGate } from '../../../src/agent/listener/ticket-gate.ts';
import { signTicket } from '../../../src/ticket/sign.ts';
import type { Ticket } from '../../../src/wire/ticket.ts';
import { madeTicket, signingKey } from '../../ticket/made-ticket.ts';

const START = 1_800_000_000_000;
const AGENT = randomUUID();
const key = signingKey();
let now = START;
let pem = key.pem;

beforeEach(() => {
  now = START;
  pem = key.pem;
});

function opened() {
  return new TicketGate({ readKeys: () => pem, agent: AGENT, node: 'worker-1', now: () => now });
}

function text(changes: Partial<Ticket> = {}, by = key): string {
  return signTicket(madeTicket({ agent: AGENT, iat: now, ...changes }), by.privateKey).toString('base64url');
}

test('a ticket is taken once, for as long as it is valid', () => {
  const gate = opened();
  const ticket = text();
  now += 5_000;
  expect(gate.take(ticket)).toMatchObject({ ticket: { sub: 'alice' }, validMs: 40_000 });
  expect(gate.take(ticket)).toBe('used');
});

test('a check alone does not use a ticket', () => {
  const gate = opened();
  const ticket = text();
  expect(gate.check(ticket)).toMatchObject({ validMs: 45_000 });
  expect(gate.check(ticket)).toMatchObject({ validMs: 45_000 });
});

test.each<[string, () => string, string]>([
  ['no ticket', () => '', 'missing'],
  ['another key', () => text({}, signingKey()), 'unsigned'],
  ['text that is no ticket', () => 'AAAA', 'unsigned'],
  ['text that is no base64url', () => `${text()}=`, 'unsigned'],
  ['another agent', () => text({ agent: randomUUID() }), 'other-agent'],
  ['another node', () => text({ node: 'worker-2' }), 'other-node'],
  ['one that has expired', () => text({ iat: now - 45_000, exp: now }), 'expired'],
  ['one of before the agent started', () => text({ iat: now - 1 }), 'early'],
  ['one of the future', () => text({ iat: now + 15_001 }), 'early'],
])('%s is refused', (_, made, refusal) => {
  expect(opened().take(made())).toBe(refusal);
});

test('where the clock of the node is behind, a ticket is not valid for longer than it was made for', () => {
  expect(opened().take(text({ iat: now + 10_000, exp: now + 70_000 }))).toMatchObject({ validMs: 60_000 });
});

test('keys are read anew, and without any no ticket is taken', () => {
  const gate = opened();
  const other = signingKey();
  pem = other.pem;
  expect(gate.take(text())).toBe('unsigned');
  expect(gate.take(text({}, other))).toMatchObject({ validMs: 45_000 });
  pem = key.pem + other.pem;
  expect(gate.take(text())).toMatchObject({ validMs: 45_000 });
  pem = '';
  expect(gate.take(text())).toBe('no-key');
  const missing = new TicketGate({
    readKeys: () => {
      throw new Error('ENOENT');
    },
    agent: AGENT,
    node: 'worker-1',
    now: () => now,
  });
  expect(missing.take(text())).toBe('no-key');
});

test('the tickets that were used are bounded, and forgotten when they have expired', () => {
  const gate = opened();
  for (let count = 0; count < USED_TICKETS; count += 1) {
    gate.use({ ticket: madeTicket({ iat: now, jti: count.toString(16).padStart(32, '0') }), validMs: 1 });
  }
  expect(gate.take(text())).toBe('full');
  now += 45_000;
  expect(gate.take(text())).toMatchObject({ validMs: 45_000 });
});
