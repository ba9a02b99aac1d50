import { randomUUID } from 'node:crypto';
import { afterEach, expect, test, vi } from 'vitest';
import type { TargetChange } from '../../../src/capture/streams/target-change.ts';
import { TenantCapture, type TenantOptions } from '../../../src/capture/tenant/tenant-capture.ts';
import { HANG_MS } from '../../support/hang.ts';
import { condition, NODE, podOf, TenantPlace } from './tenant-place.ts';

const { signal } = new AbortController();
const OPTIONS: TenantOptions = {
  namespace: 'shop',
  targets: ['svc/web'],
  filter: 'port 80',
  snaplen: 262_144,
  hostNetwork: false,
  durationMs: 90_500,
  follow: true,
  resumeWindowMs: 10_000,
  compress: 'off',
};

let place: TenantPlace;
let capture: TenantCapture | undefined;
afterEach(async () => {
  await capture?.close();
  capture = undefined;
  await place.close();
});

/** @param created what the controller does with the new Capture */
async function begun(created: () => void, changes: Partial<TenantOptions> = {}): Promise<TenantCapture> {
  capture = await TenantCapture.begin(await place.open(created), { ...OPTIONS, ...changes }, signal);
  return capture;
}

function followed(of: TenantCapture): TargetChange[] {
  const changes: TargetChange[] = [];
  void of.follow((change) => void changes.push(change), signal);
  return changes;
}

const until = (holds: () => boolean) => vi.waitUntil(holds, { timeout: HANG_MS, interval: 5 });

/** Only the Capture that was made is deleted, and none that was made under its name since. */
const deleteOptions = () =>
  JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid: place.madeUid } });

const sinks = { stdout: () => {}, stderr: () => {} };

test('a Capture says what is wanted and by whom, and is deleted at the end', async () => {
  place = new TenantPlace();
  const web = podOf('web-1');
  const made = await begun(() => place.admit([web]));
  expect(place.spec).toEqual({
    targets: ['svc/web'],
    filter: 'port 80',
    snaplen: 262_144,
    hostNetwork: false,
    limits: { duration: '91s' },
    requestedBy: 'alice',
    requestedByGroups: ['team-shop'],
    clientKey: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
  });
  expect([...made.labels]).toEqual([[web.uid, 'shop/web-1']]);
  const [plan] = made.plans();
  expect(plan).toMatchObject({ node: NODE, targets: [{ uid: web.uid, pod: 'web-1', containers: [], wait: true }] });
  expect(await made.close()).toBeUndefined();
  expect(place.ends).toEqual([`DELETE ${deleteOptions()}`]);
});

test('where it may not be deleted, it is stopped', async () => {
  place = new TenantPlace();
  place.refusesDelete = true;
  const made = await begun(() => place.admit([podOf('web-1')]));
  expect(await made.close()).toBeUndefined();
  expect(place.ends).toEqual([`DELETE ${deleteOptions()}`, expect.stringContaining('"state":"Stopped"')]);
});

test('another Capture that was made under its name stays', async () => {
  place = new TenantPlace();
  const made = await begun(() => place.admit([podOf('web-1')]));
  place.uid = randomUUID();
  expect(await made.close()).toBeUndefined();
  expect(place.ends).toEqual([`409 DELETE ${deleteOptions()}`]);
});

test('a session opens with a ticket, and gets new ones before the targets that need them', async () => {
  place = new TenantPlace();
  const [web, other] = [podOf('web-1'), podOf('web-2')];
  const made = await begun(() => place.admit([web]));
  const [plan] = made.plans();
  const changes = followed(made);
  const session = await plan?.open(sinks, signal);
  session?.write('the request\n');
  await until(() => place.sessions[0]?.length === 1);
  place.admit([web, other]);
  await until(() => changes.length > 0);
  expect(changes).toMatchObject([{ type: 'added', label: 'shop/web-2', target: { uid: other.uid } }]);
  session?.write('the added target\n');
  await until(() => place.sessions[0]?.length === 3);
  expect(place.sessions[0]?.map((line) => line.slice(0, 30))).toEqual([
    'the request',
    expect.stringContaining('{"type":"ticket","ticket":"'),
    'the added target',
  ]);
  session?.terminate();
});

test('a second session waits for a ticket that was not used, and one that is refused is not tried again', async () => {
  place = new TenantPlace();
  const web = podOf('web-1');
  const made = await begun(() => place.admit([web]));
  const [plan] = made.plans();
  const first = await plan?.open(sinks, signal);
  first?.terminate();
  const notes: string[] = [];
  const second = plan?.open({ ...sinks, note: (text) => void notes.push(text) }, signal);
  place.admit([], place.ticket([web], { node: 'worker-2' }));
  await until(() => notes.length === 1);
  expect(notes[0]).toContain('another node');
  place.admit([web]);
  (await second)?.terminate();
  expect(place.sessions).toHaveLength(2);
});

test('pods without a ticket go, and a Capture that completes ends the capture', async () => {
  place = new TenantPlace();
  const [web, other] = [podOf('web-1'), podOf('web-2')];
  const made = await begun(() => place.admit([web, other]));
  made.plans();
  const changes = followed(made);
  place.admit([other]);
  await until(() => changes.length > 0);
  expect(changes).toEqual([{ type: 'gone', key: web.uid }]);
  place.write({ phase: 'Complete', conditions: [condition('Complete', 'True', 'DurationReached', 'it is late.')] });
  await until(() => changes.length > 2);
  expect(changes.slice(1)).toEqual([
    { type: 'gone', key: other.uid },
    { type: 'ended', message: 'The Capture has ended: it is late.' },
  ]);
});

test('a permission that is withdrawn, and a deletion, end the capture', async () => {
  place = new TenantPlace();
  const made = await begun(() => place.admit([podOf('web-1')]));
  const changes = followed(made);
  place.write({ phase: 'Pending', conditions: [condition('Admitted', 'False', 'Forbidden', 'alice may not.')] });
  await until(() => changes.some(({ type }) => type === 'ended'));
  expect(changes.slice(-2)).toMatchObject([
    {
      type: 'refused',
      label: 'shop/ksnoop-abc',
      error: { code: 'CAPTURE_REFUSED', hint: expect.stringContaining('capture') },
    },
    { type: 'ended' },
  ]);
  await made.close();
  await place.close();
  place = new TenantPlace();
  const another = followed(await begun(() => place.admit([podOf('web-1')])));
  place.delete();
  await until(() => another.some(({ type }) => type === 'ended'));
});

test.each([
  ['PolicyMissing', 'no policy.', 'CAPTURE_REFUSED'],
  ['Forbidden', 'alice may not.', 'CAPTURE_REFUSED'],
])('a Capture that is not admitted (%s) is an error, and is deleted', async (reason, message, code) => {
  place = new TenantPlace();
  const write = () => place.write({ phase: 'Pending', conditions: [condition('Admitted', 'False', reason, message)] });
  await expect(begun(write)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  expect(place.ends).toEqual([`DELETE ${deleteOptions()}`]);
});

test('targets that do not exist are an error; those without pods yet are waited for', async () => {
  place = new TenantPlace();
  const degraded = condition('Degraded', 'True', 'TargetsNotFound', 'There is no Service web.');
  const admitted = [condition('Admitted', 'True', 'Allowed'), condition('Capturing', 'False', 'NoPods')];
  const write = () => place.write({ phase: 'Pending', conditions: [...admitted, degraded] });
  await expect(begun(write)).rejects.toMatchObject({
    code: 'NO_SUCH_TARGET',
    exit: 3,
    message: expect.stringContaining('web'),
  });
  await place.close();
  place = new TenantPlace();
  const made = await begun(() => place.admit([]));
  expect(made.plans()).toEqual([]);
  const changes = followed(made);
  place.admit([podOf('web-1')]);
  await until(() => changes.length > 0);
  expect(changes).toMatchObject([{ type: 'added', label: 'shop/web-1' }]);
});

test('a refusal of the policy, and a cluster without Captures, are named', async () => {
  place = new TenantPlace();
  const words =
    "captures.ksnoop.io \"\" is forbidden: ValidatingAdmissionPolicy 'captures.ksnoop.io' with binding 'captures.ksnoop.io' denied request: needs create on pods/exec, or the verb capture on captures.ksnoop.io, in namespace shop";
  place.refuseCreate = { code: 403, message: words };
  await expect(begun(() => {})).rejects.toMatchObject({
    code: 'CAPTURE_REFUSED',
    message: expect.stringMatching(/does not admit this capture: needs create on pods\/exec/),
    hint: expect.stringContaining('namespace shop'),
  });
  const quota =
    'captures.ksnoop.io "q1" is forbidden: exceeded quota: captures, requested: count/captures.ksnoop.io=1, used: count/captures.ksnoop.io=1, limited: count/captures.ksnoop.io=1';
  place.refuseCreate = { code: 403, message: quota };
  await expect(begun(() => {})).rejects.toMatchObject({
    code: 'CAPTURE_REFUSED',
    message: expect.stringMatching(
      /quota of namespace shop .* captures, requested: .*limited: count\/captures.ksnoop.io=1\.$/,
    ),
    hint: expect.stringContaining('ksnoop delete capture/NAME'),
  });
  place.refuseCreate = { code: 404, message: 'the server could not find the requested resource' };
  await place.close();
  const kube = await place.open();
  await expect(TenantCapture.begin(kube, OPTIONS, signal)).rejects.toMatchObject({ code: 'NO_CAPTURES' });
});
