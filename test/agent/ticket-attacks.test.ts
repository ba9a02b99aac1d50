import { afterEach, expect, test } from 'vitest';
import { attack, TicketedAgent } from './ticket-attacks.ts';

let agent: TicketedAgent;
afterEach(() => agent.close());

test('120 attempts to capture what no ticket allows: none is accepted', async () => {
  agent = new TicketedAgent();
  const { attempts, kinds, accepted } = await attack(agent, 120, 1);
  expect(accepted).toEqual([]);
  expect(attempts).toBeGreaterThanOrEqual(120);
  expect(Object.keys(kinds).length).toBeGreaterThan(30);
});
