// An agent for one capture, as a Job: what is created, waited for, refused and removed.
import { afterEach, expect, test } from 'vitest';
import { startNodeJob } from '../../../src/capture/agentless/node-job.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { type ApiServer, json, startApiServer, status } from '../../support/api-server.ts';

let server: ApiServer | undefined;
afterEach(() => server?.close());

interface Played {
  /** What the runtime says of the container, look by look; an empty list: the Job has no pod. */
  readonly states: readonly object[];
  readonly warning?: string;
  readonly noNamespace?: boolean;
  /** Names of images on the node. */
  readonly images?: readonly string[];
  readonly removal?: number;
}

async function start({ states, warning, noNamespace, images = [], removal = 200 }: Played, image?: string) {
  const requests: string[] = [];
  const jobs: { name: string; image: string; node: string }[] = [];
  let looks = 0;
  server = await startApiServer({
    onRequest: async (request, response) => {
      const path = decodeURIComponent(request.url ?? '');
      requests.push(`${request.method} ${path.split('?')[0]}`);
      if (request.method === 'POST') {
        let body = '';
        for await (const chunk of request) body += chunk;
        if (noNamespace) return json(response, 404, status(404, 'NotFound', 'namespaces "ksnoop" not found'));
        const { metadata, spec } = JSON.parse(body);
        const pod = spec.template.spec;
        const node = JSON.stringify(pod);
        jobs.push({ name: metadata.name, image: pod.containers[0].image, node });
        if (warning !== undefined) response.setHeader('warning', `299 - "${warning}"`);
        return json(response, 201, {});
      }
      if (request.method === 'DELETE')
        return json(response, removal, removal === 200 ? {} : status(removal, 'X', 'no'));
      if (path.startsWith('/api/v1/nodes/'))
        return json(response, 200, { metadata: { name: 'node1' }, status: { images: [{ names: images }] } });
      if (path.includes('/events')) return json(response, 200, { items: [] });
      const state = states[Math.min(looks, states.length - 1)];
      looks += 1;
      const pod = {
        metadata: { name: 'agent-1', namespace: 'ksnoop', uid: 'u' },
        spec: { containers: [{ name: 'agent' }] },
        status: { phase: 'Pending', containerStatuses: [{ name: 'agent', state }] },
      };
      json(response, 200, { items: state === undefined ? [] : [pod] });
    },
  });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  const job = startNodeJob(kube, { node: 'node1', image, key: 'ab'.repeat(32) }, new AbortController().signal);
  return { job, requests, jobs };
}

const WAITING = { waiting: { reason: 'ContainerCreating' } };
const RUNNING = { running: {} };
const removals = (requests: readonly string[]) => requests.filter((line) => line.startsWith('DELETE'));

test('a Job with the named image runs on the node, its start is waited for, and it can be removed', async () => {
  const { job, requests, jobs } = await start({ states: [WAITING, RUNNING] }, 'agent:1');
  const { pod, remove } = await job;
  expect(pod).toBe('agent-1');
  expect(jobs).toHaveLength(1);
  expect(jobs[0]).toMatchObject({ image: 'agent:1', node: expect.stringContaining('node1') });
  expect(removals(requests)).toEqual([]);
  expect(await remove()).toBeUndefined();
  expect(removals(requests)).toEqual([`DELETE /apis/batch/v1/namespaces/ksnoop/jobs/${jobs[0]?.name}`]);
  expect(requests.some((line) => line.includes('/nodes/'))).toBe(false);
});

test('without a named image it is the one that the node has, of any registry', async () => {
  const images = ['docker.io/library/nginx:1', 'notksnoop-agent:1', 'registry.example/ksnoop-agent:2'];
  const { job, jobs } = await start({ states: [RUNNING], images });
  await job;
  expect(jobs[0]?.image).toBe('registry.example/ksnoop-agent:2');
});

test('without any image nothing is created', async () => {
  const { job, jobs } = await start({ states: [RUNNING], images: ['nginx:1'] });
  await expect(job).rejects.toMatchObject({ code: 'AGENT_IMAGE_UNKNOWN', message: expect.stringContaining('node1') });
  expect(jobs).toEqual([]);
});

test.each([{ warning: 'would violate PodSecurity "restricted:latest": host namespaces' }])(
  'what Pod Security warns of is a refusal, and the Job is removed',
  async ({ warning }) => {
    const { job, requests } = await start({ states: [RUNNING], warning }, 'agent:1');
    await expect(job).rejects.toMatchObject({
      code: 'AGENTLESS_REFUSED',
      message: expect.stringContaining('restricted'),
    });
    expect(removals(requests)).toHaveLength(1);
  },
);

test('a warning of something else is none', async () => {
  const { job } = await start({ states: [RUNNING], warning: 'unknown field "spec.x"' }, 'agent:1');
  expect((await job).pod).toBe('agent-1');
});

test('a container that cannot start is an error with the words of the runtime, and the Job is removed', async () => {
  const pull = { waiting: { reason: 'ErrImagePull', message: 'no such image' } };
  const { job, requests } = await start({ states: [WAITING, pull] }, 'agent:1');
  await expect(job).rejects.toMatchObject({
    code: 'PROBE_NOT_STARTED',
    message: expect.stringContaining('ErrImagePull: no such image'),
  });
  expect(removals(requests)).toHaveLength(1);
});

test('a webhook that denies the pod is a policy', async () => {
  const denied = { waiting: { reason: 'CreateContainerError', message: 'admission webhook denied the request: no' } };
  const { job } = await start({ states: [denied] }, 'agent:1');
  await expect(job).rejects.toMatchObject({ code: 'AGENTLESS_REFUSED' });
});

test('where the namespace is missing the hint creates it', async () => {
  const { job } = await start({ states: [], noNamespace: true }, 'agent:1');
  await expect(job).rejects.toMatchObject({
    code: 'AGENTLESS_REFUSED',
    hint: expect.stringContaining('kubectl create namespace ksnoop'),
  });
});

test('a Job that is gone already is removed; one that cannot be removed says why', async () => {
  const gone = await (await start({ states: [RUNNING], removal: 404 }, 'agent:1')).job;
  expect(await gone.remove()).toBeUndefined();
  await server?.close();
  const kept = await (await start({ states: [RUNNING], removal: 403 }, 'agent:1')).job;
  expect(await kept.remove()).toBeTruthy();
});
