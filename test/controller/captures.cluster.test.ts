// The schema, the policy and the controller's permissions as a real API server has them.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, find, list } from '../../src/capture/kube/api.ts';
import { resourcePath } from '../../src/capture/kube/resource.ts';
import { createClientKey } from '../../src/ticket/seal.ts';
import { verifyTicket } from '../../src/ticket/sign.ts';
import { isObject, objectAt } from '../../src/wire/guard.ts';
import { parseSealedTickets } from '../../src/wire/ticket.ts';
import { ADMIN, CapturesPlace } from './captures-place.ts';

let place: CapturesPlace;

beforeAll(async () => {
  place = await CapturesPlace.open('ksnoop-tenant');
  await place.startController();
});
afterAll(() => place.close());

test('the API server refuses what the schema and the policy forbid', async () => {
  // The policy is enforced a moment after it was created.
  await expect
    .poll(() => place.create('writer', {}, 'writer'))
    .toContain('needs create on pods/exec, or the verb capture');
  const refusals = await Promise.all([
    place.create('foreign', {}, 'tenant-b'),
    place.create('name', { requestedBy: 'admin' }),
    place.create('groups', { requestedByGroups: ['system:masters'] }),
    place.create('extra', { requestedByExtra: { scopes: ['all'] } }),
    place.create('host', { hostNetwork: true }),
    place.create('long', { limits: { duration: '48h' } }),
    place.create('option', { filter: '-z /bin/sh' }),
    place.create('lines', { filter: 'port 80\nport 81' }),
    place.create('controls', { targets: ['pod/\x9b2J'] }),
    place.create('escapes', { targets: ['pod/\x1b]0;title\x07'] }),
    place.create('no-key', { clientKey: undefined }),
    place.create('trigger', { trigger: { where: 'true' } }),
    place.create('unknown', { hostPath: '/' }),
  ]);
  const words = [
    'cannot create resource "captures"',
    'requestedBy must be your own user name',
    'requestedByGroups must be groups of yours',
    'requestedByExtra must be attributes of yours',
    'hostNetwork needs the cluster-wide verb capture-host-network',
    '24h at most',
    'spec.filter',
    'spec.filter',
    'spec.targets',
    'spec.targets',
    'clientKey is required',
    'need storage',
    'unknown field',
  ];
  for (const [index, refusal] of refusals.entries()) expect(refusal).toContain(words[index]);
});

test('a tenant gets tickets for its own pods while it is allowed, and changes nothing but the state', async () => {
  await expect
    .poll(async () => {
      const { phase } = await place.statusOf('live');
      if (phase === 'Running') return phase;
      // What was created before the policy was in force stays refused.
      if (phase === 'Refused') await place.delete('live');
      await place.create('live', { targets: ['pod/*'] });
      return phase;
    })
    .toBe('Running');
  const tickets = parseSealedTickets((await place.statusOf('live')).tickets);
  expect(tickets.flatMap(({ pods }) => pods.map(({ namespace, name }) => `${namespace}/${name}`))).toEqual([
    `${place.ours}/one`,
  ]);
  const [first] = tickets;
  const ticket = verifyTicket(place.clientKey.open(Buffer.from(first?.sealed ?? '', 'base64')), [place.publicKey]);
  expect(ticket).toMatchObject({ sub: 'tenant-a', node: place.node, pods: [first?.pods[0]?.uid] });
  for (const spec of [
    { targets: ['pod/x'] },
    { clientKey: createClientKey().public },
    { limits: { duration: '20m' } },
    { requestedByGroups: ['a'] },
  ]) {
    expect(await place.patch('live', { spec })).toMatch(/cannot change|only state/);
  }
  expect(await place.patch('live', { status: { phase: 'Complete' } }, 'status')).toContain('only the controller');
  const events = async () => (await list(await place.as(ADMIN), resourcePath('v1', place.ours, 'events'))).items;
  await expect
    .poll(async () => (await events()).map(({ message }) => message))
    .toContain('tenant-a captures all packets (Capture live)');
  expect(await place.patch('live', { spec: { state: 'Stopped' } })).toBe('');
  await expect.poll(async () => (await place.statusOf('live')).phase).toBe('Complete');
  expect((await place.statusOf('live')).tickets).toEqual([]);
  expect(await place.patch('live', { spec: { state: 'Running' } })).toContain('stays stopped');
});

test('a Capture that is made again under its name gets tickets of its own alone', async () => {
  for (let round = 0; round < 5; round += 1) {
    const key = createClientKey();
    // The first one may still be there for a moment.
    await expect.poll(() => place.create('same', { clientKey: key.public })).toBe('');
    await expect.poll(async () => (await place.statusOf('same')).phase).toBe('Running');
    const { metadata, status } = (await find(await place.as(ADMIN), place.path('same'))) ?? {};
    const tickets = parseSealedTickets(isObject(status) ? status.tickets : undefined);
    expect(tickets).toHaveLength(1);
    for (const { sealed } of tickets) {
      const ticket = verifyTicket(key.open(Buffer.from(sealed, 'base64')), [place.publicKey]);
      expect(ticket.capture).toBe(isObject(metadata) ? metadata.uid : '');
    }
    expect(await place.delete('same')).toBe('');
  }
});

test('what was made while the policy was weakened is not admitted once it is restored', async () => {
  const policies = 'validatingadmissionpolicies';
  const policy = resourcePath('admissionregistration.k8s.io/v1', undefined, policies, 'captures.ksnoop.io');
  const conditions = objectAt((await find(await place.as(ADMIN), policy)) ?? {}, 'spec').matchConditions;
  const change = async (matchConditions: unknown) => {
    const [method, contentType] = ['PATCH', 'application/merge-patch+json'] as const;
    const body = JSON.stringify({ spec: { matchConditions } });
    await call(await place.as(ADMIN), { method, path: policy, body, contentType });
  };
  await change([{ name: 'never', expression: 'false' }]);
  // In the name of the administrator, whom all is allowed.
  const forged = { requestedBy: 'admin', requestedByGroups: ['system:masters'], targets: ['pod/*'] };
  await expect.poll(() => place.create('forged', forged)).toBe('');
  await change(conditions);
  await expect.poll(async () => (await place.statusOf('forged')).phase).toBe('Refused');
  expect((await place.statusOf('forged')).tickets).toEqual([]);
});

test('without the binding of the policy no Capture is admitted', async () => {
  expect(await place.create('unprotected', { limits: { duration: '9m' } })).toBe('');
  const bindings = 'validatingadmissionpolicybindings';
  const binding = resourcePath('admissionregistration.k8s.io/v1', undefined, bindings, 'captures.ksnoop.io');
  await call(await place.as(ADMIN), { method: 'DELETE', path: binding });
  await expect.poll(() => place.conditionOf('unprotected', 'PolicyMissing')).toContain('True');
  expect((await place.statusOf('unprotected')).tickets).toEqual([]);
});
