import { afterEach, expect, test } from 'vitest';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { agentless } from '../../../src/cli/doctor/agentless.ts';
import { isObject, objectAt, parseJson } from '../../../src/wire/guard.ts';
import { type ApiServer, json, startApiServer } from '../../support/api-server.ts';

let server: ApiServer | undefined;
afterEach(() => server?.close());

/** What doctor shows a user with these permissions in namespace shop and no others: `verb resource`. */
async function shown(...granted: string[]) {
  server = await startApiServer({
    onRequest: async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const review = parseJson(body, 'review');
      const asked = isObject(review) ? objectAt(objectAt(review, 'spec'), 'resourceAttributes') : {};
      const { verb, resource, subresource, namespace } = asked;
      const name = `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`;
      json(response, 201, { status: { allowed: namespace === 'shop' && granted.includes(name) } });
    },
  });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  try {
    return await agentless.look({ kube, namespace: 'shop', signal: new AbortController().signal });
  } finally {
    kube.close();
  }
}

const EXEC = ['get pods/exec', 'create pods/exec'];

test('who may add ephemeral containers captures without agents', async () => {
  const found = await shown(...EXEC, 'get pods', 'patch pods/ephemeralcontainers');
  expect(found).toMatchObject([
    { state: 'ok', message: 'you may capture without agents: ksnoop -n shop TARGET --agentless' },
  ]);
});

test('who may exec only captures pods that have tcpdump', async () => {
  const found = await shown(...EXEC, 'get pods');
  expect(found).toMatchObject([
    {
      state: 'ok',
      message: expect.stringContaining('only pods that have tcpdump (you may not patch pods/ephemeralcontainers'),
    },
  ]);
});

test('who may not exec is shown what is missing, and that is no problem', async () => {
  const found = await shown('get pods', 'get pods/exec', 'patch pods/ephemeralcontainers');
  expect(found).toMatchObject([
    { state: 'skipped', message: expect.stringContaining('you may not create pods/exec in') },
  ]);
});

test('without a cluster nothing is asked', async () => {
  const found = await agentless.look({ kube: undefined, namespace: 'shop', signal: new AbortController().signal });
  expect(found).toMatchObject([{ state: 'skipped' }]);
});
