import { afterAll, beforeAll, expect, test } from 'vitest';
import { findAgents } from '../../../src/capture/agents/agents.ts';
import { install } from '../../../src/capture/install/install.ts';
import { status } from '../../../src/capture/install/status.ts';
import { uninstall } from '../../../src/capture/install/uninstall.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import type { Kube } from '../../../src/capture/kube/kube.ts';
import { VERSION } from '../../../src/wire/version.ts';
import { builtAgentImage } from '../../support/agent-image.ts';
import { cluster, type TestCluster } from '../../support/cluster.ts';

let real: TestCluster;
let kube: Kube;
let image: string;
const quiet = () => {};

beforeAll(async () => {
  real = await cluster();
  kube = await loadKube({ kubeconfig: real.kubeconfig });
  // On a cluster that is not ours the image is the one its owner installed.
  image = real.own ? await ownImage() : (await status(kube)).image;
});
afterAll(async () => {
  if (image) await install({ kube, image }, quiet);
  kube?.close();
});

async function ownImage(): Promise<string> {
  const { path, tag } = await builtAgentImage(quiet);
  await real.loadImage(path);
  return tag;
}

test('comes, is shown, fails with reasons, goes, and is gone', async () => {
  const lines: string[] = [];
  await uninstall({ kube }, quiet);
  expect(await status(kube)).toMatchObject({ installed: false, nodes: [] });
  const none = await findAgents(kube, 'any');
  await expect(none.on('any')).rejects.toMatchObject({ code: 'AGENT_NOT_INSTALLED' });
  await expect(install({ kube }, quiet)).rejects.toMatchObject({ code: 'IMAGE_REQUIRED' });

  const now = await install({ kube, image }, (line) => lines.push(line));
  expect(now).toMatchObject({ installed: true, image, version: VERSION, trouble: '' });
  expect(now.ready).toBe(now.desired);
  expect(now.nodes.every(({ state }) => state === 'ready')).toBe(true);
  expect(lines.at(-1)).toBe(`${now.desired} of ${now.desired} nodes ready`);
  const agents = await findAgents(kube);
  expect(agents.nodes.toSorted()).toEqual(now.nodes.map(({ node }) => node));

  const bad = install({ kube, image: 'nosuch.invalid/agent:1', timeoutMs: 40_000 }, quiet);
  await expect(bad).rejects.toMatchObject({
    code: 'AGENTS_NOT_READY',
    message: expect.stringMatching(/After 40 s \d of \d nodes ready; .*(ErrImagePull|ImagePullBackOff)/),
  });
  // The same image again: nothing but what differs changes, and the namespace labels of ours are there once.
  await install({ kube, image }, quiet);

  const removed = await uninstall({ kube }, quiet);
  expect(removed).toContain('DaemonSet ksnoop/ksnoop-agent');
  expect(removed).toContain('Namespace ksnoop');
  expect(await uninstall({ kube }, quiet)).toEqual([]);
  const left = await real.kubectl(
    'get',
    'all,netpol,sa,ns',
    '-A',
    '-l',
    'app.kubernetes.io/managed-by=ksnoop',
    '-o',
    'name',
  );
  expect(left.stdout.trim()).toBe('');
});
