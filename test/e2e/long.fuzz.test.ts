// What the cluster tests do for a minute or two, for much longer: on our own cluster, which must be up.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { chaos } from '../support/chaos.ts';
import { manySessions } from '../support/many-sessions.ts';
import { ensureAgent, ensureShop } from '../support/shop.ts';

/** Minutes of each; 0 skips it. */
const CHAOS_MINUTES = Number(process.env.KSNOOP_CHAOS_MINUTES ?? 60);
const SESSIONS_MINUTES = Number(process.env.KSNOOP_SESSIONS_MINUTES ?? 10);
const SEED = Number(process.env.KSNOOP_CHAOS_SEED ?? Math.floor(Date.now() / 1000));
/** Captures are begun anew with another seed after so long: their files stay small. */
const ROUND_MS = 120_000;
/** What opening and ending all of it takes at most, beside the minutes. */
const BESIDE_MS = 1_800_000;

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-long-'));
afterAll(() => rmSync(directory, { recursive: true }));

test(`${SESSIONS_MINUTES} minutes of 100 captures of one pod, 20 of them stalled, and 20 over exec: each is whole or says what it lost`, {
  timeout: SESSIONS_MINUTES * 60_000 + BESIDE_MS,
}, async ({ skip }) => {
  if (SESSIONS_MINUTES === 0) skip();
  const on = await ensureShop();
  await ensureAgent();
  await manySessions(on, { busy: 80, stalled: 20, idle: 0, exec: 20, lastsMs: SESSIONS_MINUTES * 60_000 });
});

test(`${CHAOS_MINUTES} minutes of faults (first seed ${SEED}): every packet is captured or in a stated gap, and nothing is left`, {
  timeout: CHAOS_MINUTES * 60_000 + BESIDE_MS,
}, async ({ skip }) => {
  if (CHAOS_MINUTES === 0) skip();
  const on = await ensureShop();
  expect(on.own, 'only nodes of our own cluster can be entered').toBe(true);
  await ensureAgent();
  const end = Date.now() + CHAOS_MINUTES * 60_000;
  for (let seed = SEED; Date.now() < end; seed += 1) {
    const round = join(directory, String(seed));
    mkdirSync(round);
    await chaos(on, round, seed, ROUND_MS);
    rmSync(round, { recursive: true });
  }
});
