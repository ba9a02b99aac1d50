// Captures while agents, API server, kubelets and networks break at random moments; longer in long.fuzz.test.ts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { chaos } from '../support/chaos.ts';
import { ensureAgent, ensureShop } from '../support/shop.ts';

const SEED = Number(process.env.KSNOOP_CHAOS_SEED ?? 1);
const FAULTS_MS = 60_000;

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-chaos-'));
afterAll(() => rmSync(directory, { recursive: true }));

test(`whatever breaks (seed ${SEED}), every packet is captured or in a stated gap, and nothing is left`, async ({
  skip,
}) => {
  const on = await ensureShop();
  if (!on.own) skip();
  await ensureAgent();
  await chaos(on, directory, SEED, FAULTS_MS);
});
