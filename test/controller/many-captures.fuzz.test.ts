// Many Captures at once on a real API server: each gets its tickets. Prints how long that took; no test asserts a speed.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { list } from '../../src/capture/kube/api.ts';
import { arrayAt, objectAt } from '../../src/wire/guard.ts';
import { ADMIN, CapturesPlace } from './captures-place.ts';

const COUNT = Number(process.env.KSNOOP_CAPTURES ?? 500);
/** Requests of the tenants at the same time. */
const CREATORS = 8;
let place: CapturesPlace;

/** Images may have to be built first. */
const SETTING_UP_MS = 600_000;

beforeAll(async () => {
  place = await CapturesPlace.open('ksnoop-many');
}, SETTING_UP_MS);
afterAll(() => place.close(), SETTING_UP_MS);

test(`${COUNT} Captures at once all get tickets, and keep them`, async () => {
  const controller = await place.startController();
  await expect.poll(() => place.create('first', {}), { timeout: 60_000 }).toBe('');
  await expect
    .poll(
      async () => {
        // Made before the policy was in force.
        if ((await place.statusOf('first')).phase === 'Refused') {
          await place.delete('first');
          await place.create('first', {});
        }
        return (await place.statusOf('first')).phase;
      },
      { timeout: 60_000 },
    )
    .toBe('Running');
  const before = processorSeconds(controller.child.pid);
  const made = new Map<string, number>();
  const waited = new Map<string, number>();
  const kube = await place.as(ADMIN);
  let next = 0;
  const creator = async () => {
    while (next < COUNT) {
      const name = `many-${next++}`;
      const refusal = await place.create(name, {});
      expect(refusal).toBe('');
      made.set(name, performance.now());
    }
  };
  const creating = Promise.all(Array.from({ length: CREATORS }, creator));
  while (waited.size < COUNT) {
    const { items } = await list(kube, place.path());
    const now = performance.now();
    for (const item of items) {
      const name = String(objectAt(item, 'metadata').name);
      const since = made.get(name);
      if (since === undefined || waited.has(name) || arrayAt(objectAt(item, 'status'), 'tickets').length === 0)
        continue;
      waited.set(name, now - since);
    }
    await sleep(500);
  }
  await creating;
  const times = [...waited.values()].sort((a, b) => a - b);
  const at = (share: number) => Math.round(times[Math.floor(share * (times.length - 1))] ?? 0);
  const used = processorSeconds(controller.child.pid) - before;
  process.stdout.write(
    `create → tickets: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, last ${at(1)} ms; the controller used ${used.toFixed(1)} s of processor\n`,
  );
  // More than the time of a ticket: each was renewed.
  await sleep(60_000);
  const { items } = await list(kube, place.path());
  const without = items.filter((item) => arrayAt(objectAt(item, 'status'), 'tickets').length === 0);
  expect([items.length, without.length]).toEqual([COUNT + 1, 0]);
  process.stdout.write(
    `a minute later: ${(processorSeconds(controller.child.pid) - before - used).toFixed(1)} s more, ${memory(controller.child.pid)} MB\n`,
  );
  expect(controller.child.exitCode).toBe(null);
});

/** User and system time of a process (proc(5), stat: fields 14 and 15, in hundredths of a second). */
function processorSeconds(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function memory(pid: number | undefined): number {
  const [, kb] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kb) / 1024);
}
