import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, get } from '../../src/capture/kube/api.ts';
import { resourcePath } from '../../src/capture/kube/resource.ts';
import { TICKET_RENEW_MS, TICKET_VALID_MS } from '../../src/controller/limits.ts';
import { verifyTicket } from '../../src/ticket/sign.ts';
import { type JsonObject, objectsAt } from '../../src/wire/guard.ts';
import type { Ticket } from '../../src/wire/ticket.ts';
import { parseSealedTickets } from '../../src/wire/ticket.ts';
import { applyText } from '../support/shop.ts';
import { ADMIN, CapturesPlace } from './captures-place.ts';
import { cuttableProxy } from './cuttable-proxy.ts';

const RBAC = 'rbac.authorization.k8s.io/v1';
const CLUSTER_ROLE = resourcePath(RBAC, undefined, 'clusterroles', 'ksnoop-controller');
const ROLE = resourcePath(RBAC, 'ksnoop', 'roles', 'ksnoop-controller');
let place: CapturesPlace;

beforeAll(async () => {
  place = await CapturesPlace.open('ksnoop-faults');
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: place.ours, name: 'web' },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'main', image: 'ksnoop.test/pause:1', command: ['/pause'] }] },
      },
    },
  };
  await applyText(place.on, JSON.stringify(deployment));
});
afterAll(() => place.close());

/** Take the rules about a resource away from a role. @returns gives them back */
async function without(role: string, resource: string): Promise<() => Promise<void>> {
  const kube = await place.as(ADMIN);
  const { rules } = await get(kube, role);
  const write = async (now: unknown) => {
    const [method, contentType] = ['PATCH', 'application/merge-patch+json'] as const;
    await call(kube, { method, path: role, body: JSON.stringify({ rules: now }), contentType });
  };
  const has = (rule: JsonObject) => Array.isArray(rule.resources) && rule.resources.includes(resource);
  const all = objectsAt({ rules }, 'rules');
  expect(all.some(has)).toBe(true);
  await write(all.filter((rule) => !has(rule)));
  return () => write(rules);
}

/** Delete and make a Capture until it is not one of the time before the policy was in force. */
async function made(name: string, spec: JsonObject): Promise<void> {
  await expect.poll(() => place.create(name, spec)).toBe('');
}

async function ticketsOf(name: string): Promise<Ticket[]> {
  return parseSealedTickets((await place.statusOf(name)).tickets).map(({ sealed }) =>
    verifyTicket(place.clientKey.open(Buffer.from(sealed, 'base64')), [place.publicKey]),
  );
}

test('with all permissions there are tickets', async () => {
  const controller = await place.startController();
  await expect
    .poll(async () => {
      // Made before the policy was in force.
      if ((await place.statusOf('whole')).phase === 'Refused') await place.delete('whole');
      await place.create('whole', { targets: ['deploy/web'] });
      return (await ticketsOf('whole')).length;
    })
    .toBe(1);
  await controller.stop();
});

test.each([
  ['captures', CLUSTER_ROLE],
  ['pods', CLUSTER_ROLE],
  ['validatingadmissionpolicies', CLUSTER_ROLE],
  ['leases', ROLE],
])('without its permission for %s a controller ends, or does not begin', async (resource, role) => {
  const restore = await without(role, resource);
  try {
    const name = `without-${resource}`;
    await made(name, {});
    const controller = await place.startController();
    // Without Leases it is never elected; without the rest it ends.
    if (resource === 'leases') await expect.poll(() => controller.lines.join('\n')).toContain('leases');
    else expect(await controller.ended).toBe(1);
    expect(await ticketsOf(name)).toEqual([]);
    await controller.stop();
  } finally {
    await restore();
  }
});

test.each([
  ['captures/status', 'captures/status'],
  ['subjectaccessreviews', 'subjectaccessreviews'],
  ['deployments', 'deployments'],
])('without its permission for %s a controller issues no tickets', async (resource, words) => {
  const restore = await without(CLUSTER_ROLE, resource);
  const controller = await place.startController();
  try {
    const name = `without-${resource.replace('/', '-')}`;
    await made(name, { targets: ['deploy/web'] });
    const said = async () => {
      const conditions = objectsAt(await place.statusOf(name), 'conditions').map(({ message }) => message);
      return [...controller.lines, ...conditions].join('\n');
    };
    await expect.poll(said).toContain(words);
    expect(await ticketsOf(name)).toEqual([]);
  } finally {
    await controller.stop();
    await restore();
  }
});

test('without its permission for events a controller logs that', async () => {
  const restore = await without(CLUSTER_ROLE, 'events');
  const controller = await place.startController();
  try {
    await made('without-events', {});
    await expect
      .poll(() => controller.lines.join('\n'))
      .toContain('an event in namespace ksnoop-faults-a was not written');
  } finally {
    await controller.stop();
    await restore();
  }
});

test('a controller that is cut off stops, and another one renews the tickets before they expire', async () => {
  const { server } = await place.as(ADMIN);
  const proxy = await cuttableProxy(server.hostname, Number(server.port));
  try {
    const first = await place.startController(proxy.address);
    await made('partitioned', {});
    await expect.poll(async () => (await ticketsOf('partitioned')).length).toBe(1);
    const second = await place.startController();
    proxy.cut();
    const [cut, before] = [Date.now(), await ticketsOf('partitioned')];
    let newest = before;
    await expect
      .poll(async () => {
        newest = await ticketsOf('partitioned');
        return second.lines.some((line) => line.includes('elected')) && newest[0]?.jti !== before[0]?.jti;
      })
      .toBe(true);
    const took = Date.now() - cut;
    process.stdout.write(`another controller renewed the tickets ${took} ms after the cut\n`);
    await expect.poll(() => first.lines.join('\n')).toContain('the Lease was lost');
    expect(newest).toHaveLength(1);
    // Where the machine is quick enough for the election, a stream has a valid ticket all the time.
    if (took < TICKET_VALID_MS - TICKET_RENEW_MS) expect(newest[0]?.iat).toBeLessThan(before[0]?.exp ?? 0);
    // What was cut off is not served twice when it comes back.
    proxy.restore();
    await expect.poll(async () => (await ticketsOf('partitioned'))[0]?.jti).not.toBe(newest[0]?.jti);
    expect(first.lines.filter((line) => line.includes('elected'))).toHaveLength(1);
    await first.stop();
    await second.stop();
  } finally {
    await proxy.close();
  }
});
