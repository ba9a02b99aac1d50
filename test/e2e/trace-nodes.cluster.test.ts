// Requests through a Service across nodes, traced while they happen, with the interfaces of the nodes as hops: each is listed once, with the
// pod that answered it, and with parts that add up; one that is not seen whole says so.
import { expect, test } from 'vitest';
import type { TraceRecord } from '../../src/analyze/trace/record.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { servedRequests } from '../support/served-requests.ts';
import { ensureAgent, ensureShop, requests, shopPods } from '../support/shop.ts';

const REQUESTS = 100;

test(`${REQUESTS} requests through a Service, traced live with --nodes: none twice, none with another pod, none with a part that is not true`, async () => {
  const on = await ensureShop();
  await ensureAgent();
  const [web = [], clients = []] = await Promise.all(['web', 'client'].map((app) => shopPods(on, app)));
  const nodes = new Set([...web, ...clients].map(({ node }) => node));
  const ksnoop = new KsnoopProcess(
    ['trace', '-n', 'shop', 'svc/web', 'deploy/client', '--nodes', '--json'],
    on.kubeconfig,
  );
  await ksnoop.capturing(web.length + clients.length + nodes.size);
  const run = `nodes${Date.now()}`;
  const { answered } = await requests(on, { n: REQUESTS, run, paths: 'ok', concurrency: 4 });
  expect(answered).toBe(REQUESTS);
  const { code, stdout, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/ 0 dropped by kernel, 0 dropped by ksnoop/);

  const served = await servedRequests(on, web, run);
  const traces = stdout
    .toString()
    .split('\n')
    .filter((line) => line.includes(`run=${run}`))
    .map((line) => JSON.parse(line) as TraceRecord)
    // A call of web to api has the same path. It is listed by itself where it may belong to several requests.
    .filter(({ src }) => src?.pod?.startsWith('client-'));
  const paths = traces.map(({ label }) => label.replace(/^GET /, ''));
  expect(new Set(paths).size, 'a request is listed twice').toBe(paths.length);
  expect(new Set(paths)).toEqual(new Set(served.keys()));
  let whole = 0;
  for (const [index, trace] of traces.entries()) {
    const { hops, total, incomplete, dst } = trace;
    const text = JSON.stringify(trace);
    const by = served.get(paths[index] ?? '')?.pod;
    expect(dst?.pod, text).toBe(by?.name);
    expect(total !== undefined || incomplete !== undefined, text).toBe(true);
    expect(
      hops.every(({ latency }) => latency >= 0),
      text,
    ).toBe(true);
    if (total !== undefined) expect(hops.reduce((sum, { latency }) => sum + latency, 0)).toBe(total);
    // Only the pods and nodes on its way are hops of it.
    const client = clients.find(({ name }) => name === trace.src?.pod);
    const onWay = [client, by].flatMap((pod) => (pod === undefined ? [] : [`shop/${pod.name}`, pod.node]));
    const outer = hops.filter(({ depth, kind }) => depth === 0 && kind === 'network');
    for (const { from, to } of outer) for (const place of [from, to]) expect(onWay, text).toContain(place);
    if (incomplete === undefined && outer.at(-1)?.to === `shop/${by?.name}`) whole += 1;
  }
  console.error(`${whole} of ${traces.length} requests were seen at all places from the client to the pod`);
  // How many depends on the machine's load; none at all would mean that nodes' interfaces are no hops.
  expect(whole).toBeGreaterThan(0);
  expect(traces.some(({ hops }) => hops.some(({ from }) => nodes.has(from)))).toBe(true);
});
