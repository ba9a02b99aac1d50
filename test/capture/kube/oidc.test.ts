import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { get } from '../../../src/capture/kube/api.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { type ApiServer, base64, json, startApiServer } from '../../support/api-server.ts';

const servers: ApiServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** An unsigned JWT: only the API server checks signatures. */
function idToken(secondsFromNow: number, name: string): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return [part({ alg: 'none' }), part({ exp: Math.floor(Date.now() / 1000) + secondsFromNow, sub: name }), 'x'].join(
    '.',
  );
}

async function bodyOf(request: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return new URLSearchParams(text);
}

async function start(answer: (form: URLSearchParams, authorization: string | undefined) => [number, unknown]) {
  const issuer = await startApiServer({
    onRequest: async (request, response) => {
      if (request.method === 'GET') return json(response, 200, { token_endpoint: `${issuer.url}/token` });
      json(response, ...answer(await bodyOf(request), request.headers.authorization));
    },
  });
  const shown: (string | undefined)[] = [];
  const api = await startApiServer({
    onRequest: (request, response) => {
      shown.push(request.headers.authorization?.replace('Bearer ', ''));
      json(response, 200, {});
    },
  });
  servers.push(issuer, api);
  const kubeconfig = (config: Record<string, string>) =>
    api.kubeconfig({
      user: {
        'auth-provider': {
          name: 'oidc',
          config: {
            'client-id': 'kubernetes',
            'client-secret': 's3cret',
            'idp-issuer-url': `${issuer.url}/`,
            'idp-certificate-authority-data': base64(issuer.authority.certificate),
            ...config,
          },
        },
      },
    });
  return { issuer, api, shown, kubeconfig };
}

test('an ID token that still holds is used as it is', async () => {
  const { issuer, shown, kubeconfig } = await start(() => [500, {}]);
  const token = idToken(3600, 'eve');
  await get(await loadKube({ kubeconfig: kubeconfig({ 'id-token': token, 'refresh-token': 'r' }) }), '/api/v1/pods');
  expect(shown).toEqual([token]);
  expect(issuer.seen).toEqual([]);
});

test('an expired one is refreshed once, with the secret, and both new tokens go into the kubeconfig', async () => {
  const fresh = idToken(3600, 'eve-again');
  const asked: unknown[] = [];
  const { issuer, shown, kubeconfig } = await start((form, authorization) => {
    asked.push([form.get('grant_type'), form.get('refresh_token'), authorization]);
    return [200, { id_token: fresh, refresh_token: 'refresh-2', expires_in: 3600 }];
  });
  const old = idToken(-60, 'eve');
  const path = kubeconfig({ 'id-token': old, 'refresh-token': 'refresh-1' });
  const kube = await loadKube({ kubeconfig: path });
  await get(kube, '/api/v1/pods');
  await get(kube, '/api/v1/pods');
  expect(shown).toEqual([fresh, fresh]);
  expect(asked).toEqual([['refresh_token', 'refresh-1', `Basic ${base64('kubernetes:s3cret')}`]]);
  expect(issuer.seen).toEqual(['GET /.well-known/openid-configuration', 'POST /token']);
  const written = readFileSync(path, 'utf8');
  expect(written).toContain(fresh);
  expect(written).toContain('refresh-2');
  expect(written).not.toContain('refresh-1');
});

test('a refresh token that is used up is told in the words of the issuer', async () => {
  const { issuer, kubeconfig } = await start(() => [
    400,
    { error: 'invalid_grant', error_description: 'Token is not active' },
  ]);
  const kube = await loadKube({ kubeconfig: kubeconfig({ 'id-token': idToken(-60, 'eve'), 'refresh-token': 'r' }) });
  await expect(get(kube, '/api/v1/pods')).rejects.toMatchObject({
    code: 'OIDC_FAILED',
    message: `The identity provider ${issuer.url}/ gave no new token: it answered 400 (invalid_grant: Token is not active).`,
  });
});

test('without a refresh token there is nothing to be done', async () => {
  const { kubeconfig } = await start(() => [500, {}]);
  const kube = await loadKube({ kubeconfig: kubeconfig({ 'id-token': idToken(-60, 'eve') }) });
  await expect(get(kube, '/api/v1/pods')).rejects.toMatchObject({ code: 'OIDC_FAILED' });
});
