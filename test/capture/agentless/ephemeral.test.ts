import { afterEach, expect, test } from 'vitest';
import { startEphemeral } from '../../../src/capture/agentless/ephemeral.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { type ApiServer, json, startApiServer, status } from '../../support/api-server.ts';

let server: ApiServer | undefined;
afterEach(() => server?.close());

interface Patch {
  readonly spec: {
    readonly ephemeralContainers: readonly { readonly name: string; readonly securityContext: Context }[];
  };
}
interface Context {
  readonly capabilities: { readonly add?: string[]; readonly drop: string[] };
}

const POLICY = status(
  403,
  'Forbidden',
  'pods "web-1" is forbidden: violates PodSecurity "restricted:latest": capabilities',
);

/** @param admits whether a policy lets a container in @param states what the runtime says of it, look by look */
async function start(admits: (context: Context) => boolean, states: readonly object[], refusal = POLICY) {
  const patches: Patch[] = [];
  let looks = 0;
  server = await startApiServer({
    onRequest: async (request, response) => {
      if (request.method === 'PATCH') {
        let body = '';
        for await (const chunk of request) body += chunk;
        const patch = JSON.parse(body) as Patch;
        patches.push(patch);
        const [container] = patch.spec.ephemeralContainers;
        if (container !== undefined && admits(container.securityContext)) return json(response, 200, {});
        return json(response, Number(refusal.code), refusal);
      }
      const name = patches.at(-1)?.spec.ephemeralContainers[0]?.name;
      const state = states[Math.min(looks, states.length - 1)];
      looks += 1;
      json(response, 200, {
        metadata: { name: 'web-1', namespace: 'shop', uid: 'u' },
        spec: { containers: [{ name: 'web' }], ephemeralContainers: [{ name }] },
        status: { ephemeralContainerStatuses: [{ name, state }] },
      });
    },
  });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  const target = { namespace: 'shop', pod: 'web-1' };
  const name = startEphemeral(kube, target, 'probe:1', new AbortController().signal);
  return { name, patches };
}

const WAITING = { waiting: { reason: 'ContainerCreating' } };

test('the container has the capabilities it needs and no more, and its start is waited for', async () => {
  const { name, patches } = await start(() => true, [WAITING, WAITING, { running: {} }]);
  expect(await name).toMatch(/^ksnoop-[0-9a-f]{8}$/);
  expect(patches).toHaveLength(1);
  const [container] = patches[0]?.spec.ephemeralContainers ?? [];
  expect(container).toMatchObject({
    image: 'probe:1',
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_RAW', 'SETGID'] },
    },
  });
});

test('where nothing may be added, what is not needed is dropped', async () => {
  const { name, patches } = await start(({ capabilities }) => capabilities.add === undefined, [{ running: {} }]);
  await name;
  expect(patches).toHaveLength(2);
  const drop = patches[1]?.spec.ephemeralContainers[0]?.securityContext.capabilities.drop;
  expect(drop).toContain('SETUID');
  expect(drop).not.toContain('NET_RAW');
});

test('a policy that admits neither is named', async () => {
  const { name } = await start(() => false, []);
  await expect(name).rejects.toMatchObject({
    code: 'AGENTLESS_REFUSED',
    message: expect.stringContaining('restricted'),
    hint: expect.stringContaining('ksnoop install'),
  });
});

test('a static pod, which takes no such container, is refused with what to try', async () => {
  // As the API server of 1.35 says it.
  const words = 'Pod "web-1" is invalid: []: Forbidden: static pods do not support ephemeral containers';
  const { name } = await start(() => false, [], status(422, 'Invalid', words));
  await expect(name).rejects.toMatchObject({
    code: 'AGENTLESS_REFUSED',
    message: expect.stringContaining('static pods do not support'),
    hint: expect.stringContaining('--agentless=node'),
  });
});

test('an image that cannot be pulled is said with the words of the runtime', async () => {
  const { name } = await start(() => true, [{ waiting: { reason: 'ErrImagePull', message: 'no such image' } }]);
  await expect(name).rejects.toMatchObject({
    code: 'PROBE_NOT_STARTED',
    message: expect.stringContaining('ErrImagePull: no such image'),
    hint: expect.stringContaining('kubectl describe pod -n shop web-1'),
  });
});
