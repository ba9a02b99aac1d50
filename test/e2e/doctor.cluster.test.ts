// What ksnoop doctor says of a user without rights is mended by the commands it says.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isObject, parseJson } from '../../src/wire/guard.ts';
import { accountWith, kubeconfigOf, removeAccounts } from '../support/accounts.ts';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { applyText, ensureAgent, ensureShop, ksnoop, kubectl } from '../support/shop.ts';

const NAMESPACE = 'ksnoop-doctor';
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-doctor-'));
let on: TestCluster;

beforeAll(async () => {
  on = await ensureShop();
  if ((await ksnoop(on, 'status')).code !== 0) await ensureAgent();
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    ...accountWith(NAMESPACE, 'new', {}),
  ];
  await applyText(on, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  for (const namespace of ['shop', 'ksnoop']) {
    const { stdout } = await on.kubectl('get', 'role,rolebinding', '-n', namespace, '-o', 'name');
    const ours = stdout.split('\n').filter((name) => /\/ksnoop-(pods|services|endpointslices|daemonsets)/.test(name));
    if (ours.length > 0) await on.kubectl('delete', '-n', namespace, ...ours);
  }
  const { stdout } = await on.kubectl('get', 'clusterrole,clusterrolebinding', '-o', 'name');
  const ours = stdout.split('\n').filter((name) => /\/ksnoop-(pods|services|nodes)$/.test(name));
  if (ours.length > 0) await on.kubectl('delete', ...ours);
  await removeAccounts(on, NAMESPACE, ['shop', 'ksnoop']);
});

interface Finding {
  readonly check: string;
  readonly state: string;
  readonly message: string;
  readonly fix: string;
}

async function doctor(kubeconfig: string): Promise<{ code: number | null; found: Finding[] }> {
  const { code, stdout } = await new KsnoopProcess(['doctor', '-n', 'shop', '-o', 'json'], kubeconfig).finished();
  const found = parseJson(stdout.toString(), 'doctor');
  const text = (value: unknown) => String(value ?? '');
  return {
    code,
    found: (Array.isArray(found) ? found : []).filter(isObject).map(({ check, state, message, fix }) => ({
      check: text(check),
      state: text(state),
      message: text(message),
      fix: text(fix),
    })),
  };
}

test('an admin of a cluster with agents has nothing to fix there', async () => {
  const { code, found } = await doctor(on.kubeconfig);
  expect(code).toBe(0);
  for (const check of ['kubeconfig', 'cluster', 'permissions', 'agents']) {
    // An API server on a busy machine is rightly called slow.
    const relevant = found.filter(({ message }) => !message.startsWith('slow: '));
    const states = relevant.filter((finding) => finding.check === check).map(({ state }) => state);
    expect(states).toEqual(check === 'cluster' ? states.map(() => 'ok') : ['ok']);
  }
});

test('the commands that doctor names give a new user all that captures need', async () => {
  const kubeconfig = await kubeconfigOf(on, NAMESPACE, 'new', directory);
  const before = await doctor(kubeconfig);
  expect(before.code).toBe(1);
  const fixes = before.found.filter(({ check }) => check === 'permissions').map(({ fix }) => fix);
  expect(fixes.length).toBeGreaterThan(2);
  // Of the two ways to an agent the one that gives less.
  expect(fixes.filter((fix) => fix.includes('--resource=pods/portforward '))).toHaveLength(1);
  expect(fixes.filter((fix) => fix.includes('pods/exec'))).toEqual([]);
  for (const command of fixes.flatMap((fix) => fix.split(' && '))) {
    const words = command.replace(/^kubectl --context \S+ /, '').split(' ');
    await kubectl(on, ...words);
  }
  const after = await doctor(kubeconfig);
  expect(after.found.filter(({ check, state }) => check === 'permissions' && state !== 'ok')).toEqual([]);
});

test('without a cluster the rest is looked at all the same', async () => {
  const { code, found } = await doctor('/nowhere');
  expect(code).toBe(1);
  const states = Object.fromEntries(found.map(({ check, state }) => [check, state]));
  expect(states).toMatchObject({ kubeconfig: 'problem', client: 'ok', cluster: 'skipped', permissions: 'skipped' });
});
