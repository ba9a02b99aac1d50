// Many captures, read by the pods of an Indexed Job while a pod and a node are killed: the result is that of one process that reads all.
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildAgentImage } from '../../daemonset/image/build.ts';
import { DESCRIPTION } from '../../daemonset/image/description.ts';
import { objectAt, objectsAt, optionalNumber, optionalString, parseJson, requireObject } from '../../src/wire/guard.ts';
import { down } from '../cluster/down.ts';
import { layoutOf } from '../cluster/layout.ts';
import { locked } from '../cluster/lock.ts';
import { type BuiltSegment, builtPcap, handshake } from '../support/built-capture.ts';
import { clusterBeside, type TestCluster } from '../support/cluster.ts';
import { duckdb } from '../support/duckdb.ts';
import { HANG_MS } from '../support/hang.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { applyText, ensureImage, kubectl } from '../support/shop.ts';

const SECOND = 'jobs';
const SETUP_MS = 1_800_000;
const NAMESPACE = `ksnoop-jobs-${process.pid}`;
const ROOT = join(import.meta.dirname, '../..');
const PARTS = 8;
const CONNECTIONS = 2_000;
/** On the machine's file system, which all nodes of the test cluster see. */
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-jobs-'));
const stoodBefore = existsSync(layoutOf(SECOND).kubeconfig);
let on: TestCluster;
let tag: string;

beforeAll(async () => {
  on = await clusterBeside(SECOND);
  const image = await buildAgentImage({ newest: true }, console.error);
  tag = image.tag;
  await ensureImage(on, tag, image.path, console.error);
  for (const name of ['captures', 'states', 'tables']) mkdirSync(join(directory, name));
  for (const name of ['bin', 'dist', 'package.json']) {
    cpSync(join(ROOT, name), join(directory, 'tool', name), { recursive: true });
  }
  for (let part = 0; part < PARTS; part += 1) {
    writeFileSync(join(directory, 'captures', `web-${part}.pcap`), builtPcap(conversations(part)));
  }
  // The pods have a user of their own.
  for (const name of ['', 'states', 'tables']) chmodSync(join(directory, name), 0o777);
  await kubectl(on, 'create', 'namespace', NAMESPACE);
}, SETUP_MS);
afterAll(async () => {
  await on.kubectl('delete', 'namespace', NAMESPACE, '--wait=false', '--ignore-not-found');
  rmSync(directory, { recursive: true, force: true });
  const layout = layoutOf(SECOND);
  if (!stoodBefore) await locked(layout, () => down(layout));
}, SETUP_MS);

/** Requests and responses of connections that begin and end within a capture. */
function conversations(part: number): BuiltSegment[] {
  return Array.from({ length: CONNECTIONS }, (_, number) => {
    const unique = part * CONNECTIONS + number;
    const ports = [10_000 + unique, 80] as const;
    const initial = [Math.imul(unique + 1, 0x9e3779b1) >>> 0, Math.imul(unique + 1, 0x85ebca6b) >>> 0] as const;
    const at = part * 60_000 + number * 20;
    const latency = 1 + ((unique * 7) % 50);
    const status = unique % 10 === 0 ? '503 Service Unavailable' : '200 OK';
    const request = `GET /items/${unique % 3 === 0 ? 'a' : 'b'} HTTP/1.1\r\nHost: shop\r\n\r\n`;
    const response = `HTTP/1.1 ${status}\r\nContent-Length: 2\r\n\r\nok`;
    const [client, server] = [initial[0] + 1, initial[1] + 1];
    const [asked, answered] = [client + request.length, server + response.length];
    const segments: BuiltSegment[] = [
      ...handshake(initial, at),
      { side: 0, sequence: client, acknowledgment: server, flags: 'P.', payload: request, at: at + 1 },
      { side: 1, sequence: server, acknowledgment: asked, flags: 'P.', payload: response, at: at + 1 + latency },
      { side: 0, sequence: asked, acknowledgment: answered, flags: 'F.', at: at + 2 + latency },
      { side: 1, sequence: answered, acknowledgment: asked + 1, flags: 'F.', at: at + 3 + latency },
      { side: 0, sequence: asked + 1, acknowledgment: answered + 1, at: at + 4 + latency },
    ];
    return segments.map((segment) => ({ ...segment, ports }));
  })
    .flat()
    .sort((a, b) => a.at - b.at);
}

/** A Job of docs/kubernetes for this cluster: its volume, its image, and little processor time, so that parts last. */
function job(file: string): string {
  const manifest = requireObject(load(readFileSync(join(ROOT, 'docs/kubernetes', file), 'utf8')), file);
  const spec = objectAt(manifest, 'spec');
  const template = objectAt(spec, 'template');
  const pod = objectAt(template, 'spec');
  const container = objectsAt(pod, 'containers')[0] ?? {};
  const command = Array.isArray(container.command) ? container.command.map(String) : [];
  const words = command.slice(1).map((word) => word.replace('/16', `/${PARTS}`));
  return dump({
    ...manifest,
    metadata: { ...objectAt(manifest, 'metadata'), namespace: NAMESPACE },
    spec: {
      ...spec,
      completions: PARTS,
      parallelism: PARTS / 2,
      template: {
        ...template,
        spec: {
          ...pod,
          volumes: [{ name: 'data', hostPath: { path: directory } }],
          containers: [
            {
              ...container,
              image: tag,
              command: [`${DESCRIPTION.nodePath}`, '/data/tool/bin/ksnoop.mjs', ...words],
              resources: { limits: { cpu: '200m', memory: '1Gi' } },
            },
          ],
        },
      },
    },
  });
}

interface JobPod {
  readonly name: string;
  readonly node: string;
  readonly phase: string;
}

async function podsOf(name: string): Promise<JobPod[]> {
  const list = await kubectl(on, 'get', 'pods', '-n', NAMESPACE, '-l', `job-name=${name}`, '-o', 'json');
  return objectsAt(requireObject(parseJson(list, 'pods'), 'pods'), 'items').map((pod) => ({
    name: optionalString(objectAt(pod, 'metadata'), 'name') ?? '',
    node: optionalString(objectAt(pod, 'spec'), 'nodeName') ?? '',
    phase: optionalString(objectAt(pod, 'status'), 'phase') ?? '',
  }));
}

async function succeeded(name: string): Promise<number> {
  const text = await kubectl(on, 'get', 'job', name, '-n', NAMESPACE, '-o', 'json');
  return optionalNumber(objectAt(requireObject(parseJson(text, 'job'), 'job'), 'status'), 'succeeded') ?? 0;
}

async function ksnoop(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await new KsnoopProcess(words, '/nowhere').finished();
  expect(code, stderr).toBe(0);
  return stdout.toString('utf8');
}

test('the parts of an Indexed Job add up to one reading, through a killed pod and a killed node', async () => {
  const names = ['ksnoop-summary', 'ksnoop-parquet'] as const;
  await applyText(on, [job('summary-job.yaml'), job('parquet-job.yaml')].join('\n---\n'));
  const running = async () => (await Promise.all(names.map(podsOf))).flat().filter(({ phase }) => phase === 'Running');
  const nodes = () => running().then((pods) => new Set(pods.map(({ node }) => node)).size);
  await expect.poll(nodes, { timeout: HANG_MS, interval: 200 }).toBe(2);
  const [first] = await running();
  if (first === undefined) throw new Error('no pod runs');
  await kubectl(on, 'delete', 'pod', first.name, '-n', NAMESPACE, '--grace-period=0', '--force');
  const lost = (await running()).find(({ node }) => node !== first.node);
  if (lost === undefined) throw new Error('no pod runs on the other node');
  await on.killNode(lost.node);
  try {
    for (const name of names) {
      await expect.poll(() => succeeded(name), { timeout: 20 * 60_000, interval: 2_000 }).toBe(PARTS);
    }
  } finally {
    await on.bringUp();
  }
  const captures = join(directory, 'captures');
  const states = join(directory, 'states');
  const files = readdirSync(states).filter((name) => !name.startsWith('.'));
  expect(files.sort()).toEqual(Array.from({ length: PARTS }, (_, part) => `${part}.json`));
  const sum = parseJson(await ksnoop('merge', states, '-o', 'json'), 'sum');
  const whole = parseJson(await ksnoop('read', captures, '-o', 'summary', '--json'), 'whole');
  expect(sum).toEqual(whole);
  expect(objectsAt(requireObject(sum, 'sum'), 'services')[0]).toMatchObject({ count: PARTS * CONNECTIONS });
  const alone = join(directory, 'alone');
  await ksnoop('read', captures, '-o', `parquet=${alone}`);
  for (const table of ['exchanges', 'flows'] as const) {
    const rows = (tables: string) =>
      duckdb(
        `select * exclude (flow) from read_parquet('${tables}/${table}/**/*.parquet', union_by_name = true) order by time, src_port, protocol`,
      );
    const [ours, one] = [await rows(join(directory, 'tables')), await rows(alone)];
    expect(ours.length).toBe(PARTS * CONNECTIONS);
    expect(ours).toEqual(one);
  }
});
