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
let elapsed = 0;
let pem = key.pem;

beforeEach(() => {
  now = START;
  elapsed = 0;
  pem = key.pem;
});

function opened() {
  return new TicketGate({
    readKeys: () => pem,
    agent: AGENT,
    node: 'worker-1',
    now: () => now,
    elapsed: () => elapsed,
  });
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

/** Both clocks of the node go on. */
function pass(ms: number) {
  now += ms;
  elapsed += ms;
}

test('where the clock of the node is behind, a ticket that was held back expires by the clock of the controller', () => {
  const gate = opened();
  // The controller is 15 s ahead. One client holds a ticket back; another one's ticket shows the controller's time.
  const held = text({ iat: now + 15_000, exp: now + 60_000 });
  pass(40_000);
  const other = text({ iat: now + 15_000, exp: now + 60_000 });
  expect(gate.check(held)).toMatchObject({ validMs: 20_000 });
  expect(gate.take(other)).toMatchObject({ validMs: 45_000 });
  expect(gate.check(held)).toMatchObject({ validMs: 5_000 });
  pass(5_000);
  expect(gate.check(held)).toBe('expired');
});

test('a clock of the node that was set back counts again', () => {
  const gate = opened();
  pass(600_000);
  expect(gate.take(text({ iat: now, exp: now + 45_000 }))).toMatchObject({ validMs: 45_000 });
  now -= 300_000;
  expect(gate.take(text({ iat: now, exp: now + 45_000 }))).toMatchObject({ validMs: 45_000 });
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
