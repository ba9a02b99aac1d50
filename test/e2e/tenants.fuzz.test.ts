// Two tenants as real users, with client certificates: each captures its own pods and none of the other's, and the API server's audit
// log has who captured what. Agents with tickets are installed for this test, and plain ones again at its end.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isObject, type JsonObject, objectAt, objectsAt, optionalString, parseJson } from '../../src/wire/guard.ts';
import { certificateKubeconfig } from '../support/accounts.ts';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { applyText, ensureAgent, ensureShop, ksnoop, kubectl } from '../support/shop.ts';

const TENANTS = ['ksnoop-tenant-x', 'ksnoop-tenant-y'] as const;
const REQUESTS = 200;
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-tenants-'));
const kubeconfigs = new Map<string, string>();
/** Packets in the tenants' files. */
const packetsOf = new Map<string, number>();
let on: TestCluster;

/** Images may have to be built first. */
const SETTING_UP_MS = 600_000;

beforeAll(async () => {
  on = await ensureShop();
  if (on.auditLog !== undefined && !existsSync(on.auditLog)) await on.restartApiServer();
  await ensureAgent(undefined, undefined, '--captures');
  const image = await kubectl(on, 'get', '-n', 'shop', 'deploy/api', '-o', 'jsonpath={..containers[0].image}');
  const objects = TENANTS.flatMap((tenant) => [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: tenant } },
    pod(tenant, 'api', image, ['/usr/bin/node', '/shop/api.mjs']),
    pod(tenant, 'client', image, ['/usr/bin/transfer', 'serve', '5300']),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: tenant, name: 'api' },
      spec: { selector: { app: 'api' }, ports: [{ port: 80, targetPort: 8080 }] },
    },
    binding(tenant, `captures-${tenant}`, 'ClusterRole', 'ksnoop-captures', tenant),
    binding('ksnoop', `captures-${tenant}`, 'Role', 'ksnoop-tickets', tenant),
  ]);
  await applyText(on, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  for (const tenant of TENANTS) {
    await kubectl(on, 'wait', '-n', tenant, '--for=condition=Ready', 'pod', '--all', '--timeout=300s');
    kubeconfigs.set(tenant, await certificateKubeconfig(on, tenant, [], directory));
  }
}, SETTING_UP_MS);
afterAll(async () => {
  await on.kubectl('delete', 'namespace', ...TENANTS, '--ignore-not-found', '--wait=false');
  const removed = await ksnoop(on, 'uninstall');
  if (removed.code !== 0) throw new Error(removed.stderr);
  await ensureAgent();
  rmSync(directory, { recursive: true });
}, SETTING_UP_MS);

function pod(namespace: string, app: string, image: string, command: readonly string[]): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name: app, labels: { app } },
    spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image, command }] },
  };
}

/** @param user also its group is none */
function binding(namespace: string, name: string, kind: string, role: string, user: string): JsonObject {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { namespace, name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  };
}

function as(user: string, ...args: string[]): KsnoopProcess {
  return new KsnoopProcess(args, kubeconfigs.get(user));
}

async function addressesOf(namespace: string): Promise<Set<string>> {
  const list = parseJson(await kubectl(on, 'get', 'pods', '-n', namespace, '-o', 'json'), 'pods');
  const pods = isObject(list) ? objectsAt(list, 'items') : [];
  return new Set(pods.map((one) => optionalString(objectAt(one, 'status'), 'podIP') ?? ''));
}

/** Fields of each packet of a file. */
function fieldsOf(file: string, filter: string, ...fields: string[]): string[][] {
  const words = ['-n', '-r', file, '-Y', filter, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])];
  const text = execFileSync('tshark', words, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 2 ** 26,
  });
  return text.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')]));
}

/** Requests from the client of a tenant to its own api, which say whose they are. */
async function traffic(tenant: string): Promise<void> {
  const url = `http://api.${tenant}.svc.cluster.local/`;
  const words = ['requests', '--n', String(REQUESTS), '--url', url, '--paths', 'unavailable', '--run', tenant];
  const report = parseJson(await kubectl(on, 'exec', '-n', tenant, 'client', '--', ...words), 'report');
  expect(isObject(report) && report.answered).toBe(REQUESTS);
}

test('two tenants at the same time: each has all packets of its own pods, and none of the other', async () => {
  const running = TENANTS.map((tenant) => {
    const file = join(directory, `${tenant}.pcapng`);
    return { tenant, file, process: as(tenant, '-n', tenant, 'svc/api', 'pod/client', '-w', file) };
  });
  for (const { process } of running) await process.capturing(1);
  await Promise.all(TENANTS.map(traffic));
  for (const { process } of running) expect((await process.stop()).code).toBe(0);
  for (const { tenant, file } of running) {
    const own = await addressesOf(tenant);
    const packets = fieldsOf(file, 'ip', 'ip.src', 'ip.dst');
    const foreign = packets.filter(([source = '', destination = '']) => !own.has(source) && !own.has(destination));
    packetsOf.set(tenant, packets.length);
    const others = await addressesOf(TENANTS.find((name) => name !== tenant) ?? '');
    const touched = packets.filter((ends) => ends.some((end) => others.has(end)));
    // The client's side of each request, and the server's.
    const runs = fieldsOf(file, 'http.request', 'http.request.uri').map(([uri = '']) => /run=([^&]*)/.exec(uri)?.[1]);
    process.stdout.write(`${tenant}: ${packets.length} packets, ${foreign.length} foreign, ${runs.length} requests\n`);
    expect([foreign, touched]).toEqual([[], []]);
    expect(new Set(runs)).toEqual(new Set([tenant]));
    expect(runs).toHaveLength(2 * REQUESTS);
  }
});

test('the agents log the packets and bytes of each tenant', async () => {
  const pods = await kubectl(
    on,
    'get',
    'pods',
    '-n',
    'ksnoop',
    '-l',
    'app.kubernetes.io/name=ksnoop-agent',
    '-o',
    'name',
  );
  const logs = await Promise.all(
    pods
      .trim()
      .split('\n')
      .map((name) => kubectl(on, 'logs', '-n', 'ksnoop', name)),
  );
  const ends = logs
    .join('\n')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => parseJson(line, 'log'))
    .filter(isObject)
    .filter(({ event }) => event === 'end');
  for (const tenant of TENANTS) {
    const own = ends.filter(({ user }) => user === tenant);
    const total = (member: string) => own.reduce((sum, line) => sum + Number(line[member]), 0);
    expect(own.every(({ object }) => typeof object === 'string')).toBe(true);
    expect(total('packets')).toBeGreaterThanOrEqual(packetsOf.get(tenant) ?? Number.POSITIVE_INFINITY);
    expect(total('bytes')).toBeGreaterThan(total('packets') * 40);
  }
});

test('what belongs to somebody else is refused', async () => {
  const [one, other] = TENANTS;
  const attempts = await Promise.all([
    as(other, '-n', one, 'svc/api', '--duration', '1s', '-o', 'text').finished(),
    as(other, '-n', one, 'svc/api', '--duration', '1s', '-o', 'text', '--as-tenant').finished(),
    as(other, '-n', other, 'pod/client', '--duration', '1s', '-o', 'text', '--as-tenant', '--whole-node').finished(),
  ]);
  for (const { code } of attempts) expect(code).not.toBe(0);
  expect(attempts[1]?.stderr).toContain('captures');
  expect(attempts[2]?.stderr).toContain('capture-host-network');
  for (const { stdout } of attempts) expect(stdout.toString()).toBe('');
});

test('the audit log has who captured what, who reached which agent, and who was refused', async () => {
  if (on.auditLog === undefined) {
    process.stdout.write('skipped: the audit log of a foreign cluster cannot be read\n');
    return;
  }
  const log = on.auditLog;
  const events = () =>
    readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => parseJson(line, 'audit event'))
      .filter(isObject);
  const of = (user: string, resource: string, verb: string) =>
    events().filter((event) => {
      const object = objectAt(event, 'objectRef');
      return objectAt(event, 'user').username === user && object.resource === resource && event.verb === verb;
    });
  const codes = (found: readonly JsonObject[]) => found.map((event) => objectAt(event, 'responseStatus').code);
  for (const tenant of TENANTS) {
    const made = of(tenant, 'captures', 'create').filter((event) => objectAt(event, 'responseStatus').code === 201);
    expect(made).not.toEqual([]);
    for (const event of made) {
      expect(objectAt(event, 'objectRef').namespace).toBe(tenant);
      const what = Object.entries(objectAt(event, 'annotations')).find(([key]) => key === 'captures.ksnoop.io/capture');
      expect(what?.[1]).toMatch(new RegExp(`^${tenant}/ksnoop-\\S* of (svc/api,)?pod/client$`));
    }
    expect(codes(of(tenant, 'captures', 'delete'))).toContain(200);
    const reached = of(tenant, 'pods', 'create').map((event) => objectAt(event, 'objectRef'));
    const forwarded = [...reached, ...of(tenant, 'pods', 'get').map((event) => objectAt(event, 'objectRef'))];
    for (const object of forwarded) expect(object).toMatchObject({ namespace: 'ksnoop', subresource: 'portforward' });
  }
  const refused = of(TENANTS[1], 'captures', 'create').filter(
    (event) => objectAt(event, 'responseStatus').code === 403,
  );
  expect(refused.map((event) => objectAt(event, 'objectRef').namespace)).toContain(TENANTS[0]);
  const [sample] = of(TENANTS[0], 'captures', 'create');
  process.stdout.write(
    `${JSON.stringify({ user: objectAt(sample ?? {}, 'user').username, annotations: sample?.annotations })}\n`,
  );
});
