// Many sessions of one agent at once, most of them idle, some whose client does not read: under the memory limit of its container.
import { test } from 'vitest';
import { manySessions } from '../support/many-sessions.ts';
import { ensureAgent, ensureShop } from '../support/shop.ts';

test.each([
  { busy: 10, stalled: 20, idle: 100, exec: 0, lastsMs: 0 },
  { busy: 2, stalled: 2, idle: 10, exec: 40, lastsMs: 0 },
])(
  '$busy busy, $stalled stalled, $idle idle sessions and $exec over exec: nothing is killed, and each is whole or says what it lost',
  async (mix) => {
    const on = await ensureShop();
    await ensureAgent();
    await manySessions(on, mix);
  },
);
