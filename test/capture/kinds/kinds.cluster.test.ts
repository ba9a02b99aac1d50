// Every kind of target on a real cluster: the pods ksnoop finds are those kubectl names. The table is printed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isObject, objectAt, objectsAt, optionalString, parseJson } from '../../../src/wire/guard.ts';
import type { TestCluster } from '../../support/cluster.ts';
import { KsnoopProcess } from '../../support/ksnoop-process.ts';
import { applyText, ensureAgent, ensureShop, kubectl } from '../../support/shop.ts';

const NAMESPACE = 'ksnoop-kinds';
const GATEWAY_API = 'gateway.networking.k8s.io/v1';
let on: TestCluster;
const table: string[][] = [];

const manifest = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8');
const inNamespace = (...args: string[]) => kubectl(on, '-n', NAMESPACE, ...args);
const field = async (what: string, path: string) => (await inNamespace('get', what, '-o', `jsonpath={${path}}`)).trim();
const object = (apiVersion: string, kind: string, name: string, more: object, metadata: object = {}) => {
  const place = kind === 'GatewayClass' ? {} : { namespace: NAMESPACE };
  return JSON.stringify({ apiVersion, kind, metadata: { name, ...place, ...metadata }, ...more });
};

beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
  const image = await kubectl(
    on,
    'get',
    'deployment/client',
    '-n',
    'shop',
    '-o',
    'jsonpath={.spec.template.spec.containers[0].image}',
  );
  const sleeping = `${JSON.stringify(image.trim())}, command: [/bin/busybox, sleep, "100000"]`;
  await applyText(on, manifest('objects.yaml').replaceAll('IMAGE', sleeping));
  await applyText(on, manifest('custom.yaml'));
  await kubectl(on, 'wait', '--for=condition=Established', 'crd', '-l', 'ksnoop.test=kinds', '--timeout=300s');
  const job = await on.kubectl('-n', NAMESPACE, 'get', 'job/by-hand');
  if (job.code !== 0) await inNamespace('create', 'job', 'by-hand', '--from=cronjob/report');
  await inNamespace('wait', '--for=create', 'pod', '-l', 'app=old', '--timeout=300s');
  await inNamespace('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=300s');
  await applyText(on, [...gateways(), ...(await operated()), await slice()].join('\n---\n'));
  const status = JSON.stringify({ status: { replicas: 2, selector: 'app=every' } });
  await inNamespace('patch', 'fleet/one', '--subresource=status', '--type=merge', '-p', status);
  await inNamespace('rollout', 'status', 'statefulset/db', '--timeout=300s');
});
afterAll(async () => {
  console.log(lines(['ASKED', 'KSNOOP FOUND', "KUBECTL'S ANSWER"], table).join('\n'));
  await on.kubectl('delete', 'crd', '-l', 'ksnoop.test=kinds', '--wait=false');
  await on.kubectl('delete', 'ingressclass', NAMESPACE);
  await on.kubectl('delete', 'namespace', NAMESPACE, '--wait=false');
});

function gateways(): string[] {
  return [
    object(GATEWAY_API, 'GatewayClass', 'ksnoop-kinds', { spec: { controllerName: 'ksnoop.test/kinds-edge' } }),
    object(GATEWAY_API, 'Gateway', 'front', { spec: { gatewayClassName: 'ksnoop-kinds' } }),
    object(GATEWAY_API, 'HTTPRoute', 'web', {
      spec: { parentRefs: [{ name: 'front' }], rules: [{ backendRefs: [{ name: 'headless', port: 80 }] }] },
    }),
  ];
}

/** A Fleet that scales, and a Stack that owns a StatefulSet. */
async function operated(): Promise<string[]> {
  const stack = object('kinds.ksnoop.test/v1', 'Stack', 'main', { spec: {} });
  await applyText(on, stack);
  const uid = await field('stack/main', '.metadata.uid');
  const containers = [
    {
      name: 'main',
      image: await field('deploy/web', '.spec.template.spec.containers[0].image'),
      command: ['/bin/busybox', 'sleep', '100000'],
    },
  ];
  const labels = { app: 'db' };
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers } };
  const owner = { apiVersion: 'kinds.ksnoop.test/v1', kind: 'Stack', name: 'main', uid };
  return [
    object(
      'apps/v1',
      'StatefulSet',
      'db',
      { spec: { serviceName: 'db', selector: { matchLabels: labels }, template } },
      { ownerReferences: [owner] },
    ),
    object('kinds.ksnoop.test/v1', 'Fleet', 'one', { spec: { replicas: 2 } }),
  ];
}

/** Endpoints written by hand: one pod by its name, one by its address alone, one address that is no pod. */
async function slice(): Promise<string> {
  const [named = '', bare = ''] = (await field('pods', '.items[?(@.metadata.labels.app=="web")].metadata.name')).split(
    ' ',
  );
  const address = (pod: string) => field(`pod/${pod}`, '.status.podIP');
  const endpoints = [
    { addresses: [await address(named)], targetRef: { kind: 'Pod', name: named, namespace: NAMESPACE } },
    { addresses: [await address(bare)] },
    { addresses: ['192.0.2.9'] },
  ];
  const labels = { 'kubernetes.io/service-name': 'by-hand' };
  return object('discovery.k8s.io/v1', 'EndpointSlice', 'by-hand', { addressType: 'IPv4', endpoints }, { labels });
}

/** The targets that `ksnoop … --dry-run -o json` names. */
async function asked(line: string) {
  const args = [...line.split(' '), '--dry-run', '-o', 'json'];
  const { stdout, stderr, code } = await new KsnoopProcess(args, on.kubeconfig).finished();
  const run = stdout.length === 0 ? {} : parseJson(stdout.toString('utf8'), `dry run of ${line}`);
  const targets = isObject(run) ? objectsAt(run, 'targets') : [];
  return {
    code,
    stderr,
    names: targets.map(({ kind, name }) => (kind === 'node' ? `node/${name}` : String(name))).sort(),
  };
}

/** What `kubectl get …` names. */
async function named(line: string): Promise<string[]> {
  const list = parseJson(await kubectl(on, 'get', ...line.split(' '), '-o', 'json'), `kubectl get ${line}`);
  if (!isObject(list)) return [];
  const items = Array.isArray(list.items) ? objectsAt(list, 'items') : [list];
  return items
    .map((item) => `${item.kind === 'Node' ? 'node/' : ''}${optionalString(objectAt(item, 'metadata'), 'name')}`)
    .sort();
}

const POD = `pod -n ${NAMESPACE}`;
const HERE = `-n ${NAMESPACE}`;

test.each<[string, readonly string[]]>([
  // By what the object's own selector says, and, where labels do not tell, less what is nobody's.
  [`${HERE} pod/stray`, [`${POD} stray`]],
  [`${HERE} deploy/web`, [`${POD} -l app=web,stray!=yes`]],
  [`${HERE} deployments.apps web`, [`${POD} -l app=web,stray!=yes`]],
  [`${HERE} rs/lone`, [`${POD} -l app=lone`]],
  [`${HERE} sts/db`, [`${POD} -l app=db`]],
  [`${HERE} ds/every`, [`${POD} -l app=every`]],
  [`${HERE} job/batch`, [`${POD} -l job-name=batch`]],
  [`${HERE} cj/report`, [`${POD} -l job-name=by-hand`]],
  [`${HERE} rc/old`, [`${POD} -l app=old`]],
  [`${HERE} svc/web`, [`${POD} -l app=web`]],
  [`${HERE} svc/node-port`, [`${POD} -l app=web`]],
  [`${HERE} svc/balanced`, [`${POD} -l app=old`]],
  [`${HERE} svc/headless`, [`${POD} -l app=lone`]],
  [`${HERE} ingress/front`, [`${POD} -l app=web`, `${POD} -l app=kinds-edge`]],
  [`${HERE} ingress/front --backends-only`, [`${POD} -l app=web`]],
  [`${HERE} ingress/front --controller-only`, [`${POD} -l app=kinds-edge`]],
  ['-n shop ingress/shop', ['pod -n shop -l app=web', 'pod -n shop -l app=edge']],
  [`${HERE} gateway/front`, [`${POD} -l app=kinds-edge`, `${POD} -l app=lone`]],
  [`${HERE} httproute/web`, [`${POD} -l app=kinds-edge`, `${POD} -l app=lone`]],
  [`${HERE} fleet/one`, [`${POD} -l app=every`]],
  [`${HERE} flt/one`, [`${POD} -l app=every`]],
  [`${HERE} stacks.kinds.ksnoop.test/main`, [`${POD} -l app=db`]],
  ['node/*', ['node']],
  [`ns/${NAMESPACE}`, [POD]],
  // Choosing.
  ['-A -l app=client,tier=load', ['pod -A -l app=client,tier=load']],
  [`-n ${NAMESPACE},shop -l app=web`, [`${POD} -l app=web`, 'pod -n shop -l app=web']],
  [`${HERE} --field-selector metadata.name=stray`, [`${POD} --field-selector metadata.name=stray`]],
  [`${HERE} pods -l app`, [`${POD} -l app`]],
  [`${HERE} deploy/w*,rc/o*`, [`${POD} -l app=web,stray!=yes`, `${POD} -l app=old`]],
  [`${HERE} ds/every --node node1`, [`${POD} -l app=every --field-selector spec.nodeName=node1`]],
  [`${HERE} svc/web svc/headless pod/stray`, [`${POD} -l app=web`, `${POD} -l app=lone`]],
])('ksnoop %s', async (line, answers) => {
  const [found, kubectlFound] = await Promise.all([
    asked(line),
    Promise.all(answers.map(named)).then((parts) => [...new Set(parts.flat())].sort()),
  ]);
  table.push([line, found.names.join(' '), `get ${answers.join('; ')}: ${kubectlFound.length}`]);
  expect(found.names, found.stderr).toEqual(kubectlFound);
  expect(kubectlFound.length).toBeGreaterThan(0);
  expect(found.code, found.stderr).toBe(0);
});

test('a Service without selector is what its EndpointSlices say: pods by name and by address', async () => {
  const pods = await named(`${POD} -l app=web`);
  const { names, stderr } = await asked(`${HERE} svc/by-hand`);
  table.push([`${HERE} svc/by-hand`, names.join(' '), 'endpoints: a pod by name, one by address, 192.0.2.9']);
  expect(names).toHaveLength(2);
  expect(pods).toEqual(expect.arrayContaining(names));
  expect(stderr).toContain('service/by-hand has endpoints that are no pods of its namespace: 192.0.2.9');
});

test('an ExternalName is explained, a miss suggests what is near, and too many name the flag', async () => {
  const external = await asked(`${HERE} svc/mail`);
  expect(external.stderr).toContain('another name for smtp.example.com');
  expect(external.code).toBe(3);
  const miss = await asked(`${HERE} deploy/wbe`);
  expect(miss.stderr).toContain('Did you mean web?');
  expect(miss.code).toBe(3);
  const many = await asked(`ns/${NAMESPACE} --max-targets 3`);
  expect(many.stderr).toMatch(/\d+ targets were found, and 3 at most.*--max-targets/);
  expect(many.code).toBe(2);
});

/** Columns as wide as their widest cell. */
function lines(head: string[], rows: readonly string[][]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
