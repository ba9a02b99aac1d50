import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildDirectory, ensureBuilt } from './builds.ts';
import { layoutOf, SOURCES } from './layout.ts';
import { differences, type Machine, openSandbox, type Sandbox } from './machine.ts';
import { ensurePackages } from './packages.ts';
import { attempt, pause, run } from './run.ts';
import { partsOf } from './up.ts';

/** An instance of its own, beside any that is up. */
const NAME = 'down-test';
const layout = layoutOf(NAME);
/** A killed process is a zombie until its new parent reaps it, in milliseconds. */
const REAPING = 60_000;
const TEST_TIME = 600_000;

const environment = (extra: NodeJS.ProcessEnv = {}) => ({ ...process.env, KSNOOP_CLUSTER: NAME, ...extra });
const command = (verb: string, extra?: NodeJS.ProcessEnv) =>
  attempt(sandbox.inside([process.execPath, join(SOURCES, 'main.ts'), verb]), { env: environment(extra) });

let sandbox: Sandbox;
let before: Machine;

beforeAll(async () => {
  await ensurePackages();
  await ensureBuilt();
  sandbox = await openSandbox();
});

afterAll(() => sandbox.close());

beforeEach(async () => {
  await command('down');
  before = await sandbox.photograph(NAME);
});

afterEach(async () => {
  await command('down');
});

/** The machine is as it was; what only a zombie still holds may take a moment. */
async function expectUntouched(): Promise<void> {
  const until = Date.now() + REAPING;
  let left = differences(before, await sandbox.photograph(NAME));
  while (left.length > 0 && Date.now() < until) {
    await pause(200);
    left = differences(before, await sandbox.photograph(NAME));
  }
  expect(left).toEqual([]);
}

test('after an up that succeeded, down leaves the machine as it was', { timeout: TEST_TIME }, async () => {
  const up = await command('up');
  expect(up.stderr).toContain('CoreDNS is available');
  expect((await command('status')).code).toBe(0);
  const during = differences(before, await sandbox.photograph(NAME)).join('\n');
  for (const kind of ['namespaces', 'mounts', 'cgroups', 'processes']) expect(during).toContain(`+${kind}: `);
  // Even while it runs, it changes no setting, rule, link or route of the machine.
  expect(during).not.toMatch(/^[+-](sysctls|firewall|network)/m);

  expect((await command('down')).code).toBe(0);
  await expectUntouched();
  expect((await command('down')).code).toBe(0);
  expect((await command('status')).stdout).toContain('is not up');
});

test('an up that fails names the part and its log, and down removes the half', { timeout: TEST_TIME }, async () => {
  const cache = mkdtempSync(join(tmpdir(), 'ksnoop-broken-'));
  try {
    brokenKubelet(cache);
    const up = await command('up', { KSNOOP_CACHE: cache });
    expect(up.code).toBe(1);
    expect(up.stderr).toMatch(/node[12]-kubelet ended/);
    expect(up.stderr).toContain('this kubelet is broken');
    expect((await command('status', { KSNOOP_CACHE: cache })).stdout).toMatch(/node1-kubelet +dead/);
    expect((await command('down')).code).toBe(0);
  } finally {
    rmSync(cache, { recursive: true });
  }
  await expectUntouched();
});

test('up goes on where a failed one stopped', { timeout: TEST_TIME }, async () => {
  const cache = mkdtempSync(join(tmpdir(), 'ksnoop-broken-'));
  try {
    brokenKubelet(cache);
    expect((await command('up', { KSNOOP_CACHE: cache })).code).toBe(1);
    expect((await command('up')).code).toBe(0);
    expect((await command('status')).code).toBe(0);
  } finally {
    rmSync(cache, { recursive: true });
  }
});

test('after a kill of up while it builds', { timeout: TEST_TIME }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-cold-'));
  try {
    // Go itself, when its parent is killed, sometimes goes on and sometimes ends.
    const building = join(directory, 'building');
    writeProgram(join(directory, 'go'), `: >'${building}'; exec sleep 100000`);
    await killedUp(`until [ -e '${building}' ]; do sleep 0.1; done; sleep 0.5`, {
      KSNOOP_CACHE: join(directory, 'cache'),
      PATH: `${directory}:${process.env.PATH}`,
    });
    expect(differences(before, await sandbox.photograph(NAME)).join('\n')).toMatch(/^\+processes: \d+ sleep 100000/m);
    expect((await command('down')).code).toBe(0);
    await expectUntouched();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test.each([150, 700, 1500, 3000, 5000])('after a kill of up at %i ms', { timeout: TEST_TIME }, async (milliseconds) => {
  await killedUp(`sleep ${milliseconds / 1000}`);
  expect((await command('down')).code).toBe(0);
  await expectUntouched();
});

test('after a kill of every part', { timeout: TEST_TIME }, async () => {
  expect((await command('up')).code).toBe(0);
  await killParts(partsOf(layout));
  expect((await command('down')).code).toBe(0);
  await expectUntouched();
});

test('up restores parts that were killed, a whole node too', { timeout: TEST_TIME }, async () => {
  expect((await command('up')).code).toBe(0);
  await killParts(['node1-init', 'node2-containerd', 'kube-scheduler', 'api-outside']);
  await expect.poll(async () => (await command('status')).code, { timeout: REAPING }).toBe(1);
  const up = await command('up');
  expect(up.stderr).toContain('CoreDNS is available');
  expect((await command('status')).code).toBe(0);
});

/** An `up` that is killed after a shell command that starts with it. */
async function killedUp(wait: string, extra: NodeJS.ProcessEnv = {}): Promise<void> {
  // The shell becomes `up` after a `kill` is on its way: nsenter's own pid is not that of what it runs.
  const killed = `{ ${wait}; kill -KILL $$; } & exec "$@"`;
  await attempt(sandbox.inside(['sh', '-c', killed, 'sh', process.execPath, join(SOURCES, 'main.ts'), 'up']), {
    env: environment(extra),
  });
}

/** A cache like the real one in which kubelet is a program that fails. */
function brokenKubelet(cache: string): void {
  for (const build of ['kubernetes', 'coredns', 'pause'] as const) {
    const original = buildDirectory(build);
    const copy = join(cache, basename(original));
    mkdirSync(copy);
    for (const file of readdirSync(original)) symlinkSync(join(original, file), join(copy, file));
    if (build === 'kubernetes') {
      rmSync(join(copy, 'kubelet'));
      writeProgram(join(copy, 'kubelet'), 'echo this kubelet is broken >&2\nexit 1');
    }
  }
}

const writeProgram = (file: string, script: string) => writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });

/** SIGKILL for the processes recorded: their pids are those of the sandbox. */
async function killParts(parts: readonly string[]): Promise<void> {
  const pids = parts.map((part) => readFileSync(join(layout.pids, part), 'utf8').split(' ')[0] ?? '');
  await run(sandbox.inside(['kill', '-KILL', ...pids]));
  await pause(200);
}
