import { readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { isObject, type JsonObject, optionalString } from '../../wire/guard.ts';
import type { Credentials } from './exec-plugin.ts';
import { bodyText } from './kube.ts';
import { EXPIRY_MARGIN_MS, REFUSAL_MAXIMUM, RESPONSE_TIMEOUT_MS } from './limits.ts';

/**
 * The `oidc` auth provider of a kubeconfig (k8s.io/client-go/plugin/pkg/client/auth/oidc): the ID token while it
 * lasts, then a new one for the refresh token (RFC 6749, section 6). client-node's own does not send the client's
 * secret and takes the new token's lifetime for a point in time, so it refreshes on every call.
 * @param config the provider's `config` entry; new tokens are put into it
 * @param file the kubeconfig, which is given the new tokens as kubectl does: an issuer may use a refresh token up
 * @throws KsnoopError OIDC_FAILED with the issuer's message
 */
export async function oidcCredentials(config: Record<string, string>, file: string): Promise<Credentials> {
  const token = config['id-token'] ?? '';
  const expires = expiryOf(token);
  if (token !== '' && (expires === undefined || expires > Date.now() + EXPIRY_MARGIN_MS)) {
    return { token, ...(expires && { expires }) };
  }
  const issuer = config['idp-issuer-url'];
  const refreshToken = config['refresh-token'];
  const client = config['client-id'];
  if (!issuer || !refreshToken || !client) {
    throw new KsnoopError('OIDC_FAILED', 'The ID token of the kubeconfig has expired and there is no refresh token.', {
      hint: 'Log in again with the tool that wrote the kubeconfig (kubelogin, for example).',
    });
  }
  const ca = authorityOf(config);
  const discovery = await exchange(issuer, `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, ca);
  const endpoint = optionalString(discovery, 'token_endpoint');
  if (endpoint === undefined) throw failed(issuer, 'its configuration names no token_endpoint');

  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken });
  const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded' };
  const secret = config['client-secret'];
  const methods = discovery.token_endpoint_auth_methods_supported;
  if (secret && !(Array.isArray(methods) && !methods.includes('client_secret_basic'))) {
    headers.authorization = `Basic ${Buffer.from(`${encodeURIComponent(client)}:${encodeURIComponent(secret)}`).toString('base64')}`;
  } else {
    form.set('client_id', client);
    if (secret) form.set('client_secret', secret);
  }
  const answer = await exchange(issuer, endpoint, ca, { headers, body: form.toString() });
  const fresh = optionalString(answer, 'id_token');
  if (fresh === undefined) throw failed(issuer, 'its answer holds no id_token');
  const nextRefresh = optionalString(answer, 'refresh_token') ?? refreshToken;
  remember(file, [
    [token, fresh],
    [refreshToken, nextRefresh],
  ]);
  config['id-token'] = fresh;
  config['refresh-token'] = nextRefresh;
  const freshExpires = expiryOf(fresh);
  return { token: fresh, ...(freshExpires && { expires: freshExpires }) };
}

/** When a JWT ends (its `exp`, RFC 7519), in milliseconds since the epoch. */
function expiryOf(token: string): number | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return isObject(claims) && typeof claims.exp === 'number' ? claims.exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}

function authorityOf(config: Readonly<Record<string, string>>): Buffer | undefined {
  const data = config['idp-certificate-authority-data'];
  if (data) return Buffer.from(data, 'base64');
  const file = config['idp-certificate-authority'];
  if (!file) return undefined;
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new KsnoopError('BAD_KUBECONFIG', `The issuer's certificate authority cannot be read: ${messageOf(cause)}.`, {
      cause,
    });
  }
}

async function exchange(
  issuer: string,
  address: string,
  ca: Buffer | undefined,
  post?: { headers: Record<string, string>; body: string },
): Promise<JsonObject> {
  const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const url = new URL(address);
    const request = url.protocol === 'http:' ? httpRequest : httpsRequest;
    const outgoing = request(
      url,
      {
        method: post ? 'POST' : 'GET',
        headers: { accept: 'application/json', ...post?.headers },
        timeout: RESPONSE_TIMEOUT_MS,
        ...(ca && { ca }),
      },
      (response) => {
        bodyText(response, REFUSAL_MAXIMUM).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('it did not answer in time')));
    outgoing.on('error', reject);
    outgoing.end(post?.body);
  }).catch((cause) => {
    throw failed(issuer, messageOf(cause), cause);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (status !== 200 || !isObject(value)) {
    const error = isObject(value) ? [value.error, value.error_description].filter(Boolean).join(': ') : '';
    throw failed(issuer, `it answered ${status}${error && ` (${error})`}`);
  }
  return value;
}

/** Put new tokens in the place of the old ones, leaving the rest of the file as it is. A failure to write is not an error. */
function remember(file: string, changes: readonly (readonly [string, string])[]): void {
  try {
    const path = realpathSync(file);
    let text = readFileSync(path, 'utf8');
    for (const [before, after] of changes) if (before !== '') text = text.replaceAll(before, () => after);
    const temporary = `${path}.ksnoop-${process.pid}`;
    writeFileSync(temporary, text, { mode: statSync(path).mode & 0o777, flag: 'wx' });
    renameSync(temporary, path);
  } catch {
    // A read-only kubeconfig: the tokens serve this run only.
  }
}

function failed(issuer: string, why: string, cause?: unknown): KsnoopError {
  return new KsnoopError('OIDC_FAILED', `The identity provider ${issuer} gave no new token: ${why}.`, {
    hint: 'Log in again with the tool that wrote the kubeconfig (kubelogin, for example).',
    cause,
  });
}
