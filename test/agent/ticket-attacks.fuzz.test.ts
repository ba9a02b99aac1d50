import { afterEach, expect, test } from 'vitest';
import { attack, TicketedAgent } from './ticket-attacks.ts';

let agent: TicketedAgent;
afterEach(() => agent.close());

test('10,000 attempts to capture what no ticket allows: none is accepted', async () => {
  agent = new TicketedAgent();
  const { attempts, kinds, accepted } = await attack(agent, 10_000, Date.now());
  console.log(`${attempts} attempts, ${accepted.length} accepted: ${JSON.stringify(kinds)}`);
  expect(accepted).toEqual([]);
});
