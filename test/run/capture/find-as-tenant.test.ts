import { afterEach, expect, test } from 'vitest';
import type { RawCaptureOptions } from '../../../src/cli/capture/options.ts';
import { completeDiagnose } from '../../../src/cli/diagnose/options.ts';
import { findTargets } from '../../../src/run/capture/find-targets.ts';
import { podOf, TenantPlace } from '../../capture/tenant/tenant-place.ts';
import { captureConfig } from '../../cli/config.ts';

let place: TenantPlace;
afterEach(() => place.close());

const never = new AbortController().signal;
const AS_TENANT = { asTenant: true };

/** @param changes flags besides the target svc/web */
async function found(changes: Partial<RawCaptureOptions> = {}) {
  place = new TenantPlace();
  const pod = podOf('web-1');
  await place.open(() => place.admit([pod]));
  const config = captureConfig({ kubeconfig: place.kubeconfig(), filter: 'port 80', ...changes }, ['svc/web']);
  return { plan: await findTargets(config, never), pod };
}

test('who may not list the agents captures as a tenant where the cluster has Captures, and the plan ends its Capture', async () => {
  const { plan, pod } = await found({ duration: '30s' });
  expect(place.spec).toMatchObject({ targets: ['svc/web'], filter: 'port 80', limits: { duration: '90s' } });
  expect([...plan.labels]).toEqual([[pod.uid, 'shop/web-1']]);
  expect(plan.warnings).toEqual(['capturing as a tenant: Capture shop/ksnoop-abc']);
  expect(plan.asTenant).toBe(true);
  expect(await plan.close()).toBeUndefined();
  // Of this very Capture: another of its name may have taken its place.
  expect(place.ends).toEqual([expect.stringMatching(/^DELETE .*"preconditions":\{"uid":/)]);
});

test('--as-tenant does so in any case; without --duration the Capture ends by itself', async () => {
  const { plan } = await found(AS_TENANT);
  expect(place.spec).toMatchObject({ limits: { duration: '28800s' } });
  expect(plan.warnings[0]).toContain('ends after 8 h');
  await plan.close();
});

test('ksnoop diagnose --as-tenant looks at the targets alone; where clients are wanted, the message has the flag', async () => {
  const raw = { interface: 'any', asTenant: true };
  expect(completeDiagnose(['svc/web'], raw, false)).toMatchObject({ scope: 'target', capture: { clients: false } });
  expect(completeDiagnose(['svc/web'], { interface: 'any' }, false).scope).toBe('clients');
  await expect(found({ clients: true })).rejects.toMatchObject({ hint: expect.stringContaining('--scope target') });
});

test('where nobody has set Captures up, the missing permission is what counts', async () => {
  place = new TenantPlace();
  place.hasCaptures = false;
  await place.open();
  const plan = await findTargets(captureConfig({ kubeconfig: place.kubeconfig() }, ['svc/web']), never);
  expect(plan.refused[0]?.error.code).toBe('NO_SUCH_TARGET');
  expect(place.spec).toEqual({});
  await plan.close();
});

test.each<[string, Partial<RawCaptureOptions>]>([
  ['a container', { container: 'web' }],
  ['clients', { clients: true }],
  ['calls', { depth: '1' }],
  ['nodes', { ownNodes: true }],
  ['one side', { backendsOnly: true }],
  ['a selector', { selector: 'app=web' }],
  ['several namespaces', { namespace: 'shop,other' }],
  ['all namespaces', { allNamespaces: true }],
])('a Capture has no words for %s', async (_, changes) => {
  await expect(found({ ...AS_TENANT, ...changes })).rejects.toMatchObject({ code: 'USAGE', exit: 2 });
  expect(place.spec).toEqual({});
});
