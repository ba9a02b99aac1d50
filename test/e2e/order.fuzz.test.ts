// Packets of two nodes in one order of time: below saturation nearly none comes too late for it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { ensureAgent, ensureShop, requests } from '../support/shop.ts';

/** Minutes of load; 0 skips it. */
const MINUTES = Number(process.env.KSNOOP_ORDER_MINUTES ?? 10);
/** Packets that may be out of order, of all. */
const LATE_SHARE = 0.0001;

test(`${MINUTES} minutes of requests across two nodes: at most 0.01 % of the packets come too late to be put in order`, {
  timeout: MINUTES * 60_000 + 1_800_000,
}, async ({ skip }) => {
  if (MINUTES === 0) skip();
  const on = await ensureShop();
  await ensureAgent();
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-order-'));
  try {
    const file = join(directory, 'shop.pcapng');
    const words = ['svc/web', 'svc/api', 'deploy/client', '-n', 'shop', '-w', file];
    const ksnoop = new KsnoopProcess(words, on.kubeconfig);
    await ksnoop.capturing(4);
    const begin = Date.now();
    for (let round = 0; Date.now() < begin + MINUTES * 60_000; round += 1) {
      await requests(on, { n: 200, run: `order-${begin}-${round}`, paths: 'ok,redirect,missing', concurrency: 4 });
    }
    const { code, stderr } = await ksnoop.stop();
    expect(code, stderr).toBe(0);
    const counted = execFileSync('capinfos', ['-T', '-r', '-c', '-M', file], { encoding: 'utf8' });
    const captured = Number(counted.trim().split('\t')[1]);
    const [, late = '0'] = /([\d,]+) packets? came too late to be put in order/.exec(stderr) ?? [];
    const count = Number(late.replaceAll(',', ''));
    process.stdout.write(
      `${count} of ${captured} packets came too late (${((100 * count) / captured).toFixed(4)} %)\n`,
    );
    expect(stderr).toMatch(/ 0 dropped by kernel, 0 dropped by ksnoop/);
    expect(captured).toBeGreaterThan(1_000 * MINUTES);
    expect(count).toBeLessThanOrEqual(captured * LATE_SHARE);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
