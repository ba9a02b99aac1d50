import { X509Certificate } from 'node:crypto';
import type { Agent } from 'node:http';
// Its config alone: the package's index loads every typed API, some 500 ms (scripts/slim-client-node.ts cuts the rest).
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { EXIT, KsnoopError, messageOf } from '../../wire/errors.ts';
import { arrayAt, type JsonObject, objectAt, optionalString } from '../../wire/guard.ts';
import { credentialSource } from './credentials.ts';
import type { Credentials } from './exec-plugin.ts';
import type { Kube, KubeRequestOptions } from './kube.ts';
import { type Selection, selectContext } from './kubeconfig.ts';
import { CONNECT_TIMEOUT_MS, EXPIRY_MARGIN_MS } from './limits.ts';
import { proxyFor } from './proxy.ts';

/**
 * The API server a kubeconfig's context names. Reads files only; plugins run and tokens are refreshed at the first
 * `options()`.
 * @param options `kubeconfig`: one file instead of KUBECONFIG or ~/.kube/config; `context`: instead of the current one
 * @throws KsnoopError NO_KUBECONFIG, BAD_KUBECONFIG, CONTEXT_NOT_FOUND
 */
export async function loadKube(options: { kubeconfig?: string; context?: string } = {}): Promise<Kube> {
  const selection = selectContext(options);
  const server = serverOf(selection);
  const proxy = optionalString(selection.cluster, 'proxy-url') || proxyFor(server, process.env);
  const source = credentialSource(selection);
  let config: KubeConfig | undefined;
  let certificateInUse: string | undefined;
  let cached: { options: KubeRequestOptions; until: number } | undefined;
  let pending: Promise<KubeRequestOptions> | undefined;

  async function make(): Promise<KubeRequestOptions> {
    const credentials = await source.get();
    // The agent holds the certificate, and with it open connections: it is kept until the certificate changes.
    if (config === undefined || credentials.certificate !== certificateInUse) config = new KubeConfig();
    certificateInUse = credentials.certificate;
    load(config, selection, server, proxy, credentials);
    const result = await applied(config, selection);
    cached = { options: result, until: (credentials.expires ?? Number.POSITIVE_INFINITY) - EXPIRY_MARGIN_MS };
    return result;
  }

  return {
    context: selection.context,
    cluster: selection.clusterName,
    namespace: selection.namespace,
    server,
    auth: source.kind,
    authDetail: source.detail,
    proxy: proxy === undefined ? undefined : withoutPassword(proxy),
    get certificateEnds() {
      return endOf(cached?.options.cert);
    },
    async options() {
      if (cached !== undefined && Date.now() < cached.until) return cached.options;
      pending ??= make().finally(() => {
        pending = undefined;
      });
      return pending;
    },
    renew() {
      if (source.renewable) cached = undefined;
      return source.renewable;
    },
    close() {
      cached?.options.agent.destroy();
    },
  };
}

function serverOf(selection: Selection): URL {
  const text = optionalString(selection.cluster, 'server') ?? '';
  // kubectl takes a server without a scheme for http.
  const address = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  if (URL.canParse(address)) return new URL(address);
  throw new KsnoopError('BAD_KUBECONFIG', `The server of cluster "${selection.clusterName}" is no address: ${text}.`, {
    exit: EXIT.usage,
  });
}

/** Hand one context to client-node, with what the user's credentials are right now. */
function load(
  config: KubeConfig,
  { context, clusterName, userName, cluster, user }: Selection,
  server: URL,
  proxy: string | undefined,
  credentials: Credentials,
): void {
  const text = (object: JsonObject, key: string) => optionalString(object, key) || undefined;
  const { certificate, key } = credentials;
  const provider = objectAt(user, 'auth-provider');
  const isForeign = provider.name !== undefined && provider.name !== 'oidc';
  config.loadFromOptions({
    clusters: [
      {
        name: clusterName,
        // client-node refuses plain http unless this is set; over https it is what the kubeconfig says.
        skipTLSVerify: server.protocol === 'http:' || cluster['insecure-skip-tls-verify'] === true,
        server: server.href.replace(/\/$/, ''),
        caFile: text(cluster, 'certificate-authority-data') ? undefined : text(cluster, 'certificate-authority'),
        caData: text(cluster, 'certificate-authority-data'),
        tlsServerName: text(cluster, 'tls-server-name'),
        proxyUrl: proxy,
      },
    ],
    users: [
      {
        name: userName,
        certFile: certificate || text(user, 'client-certificate-data') ? undefined : text(user, 'client-certificate'),
        certData: certificate ? base64(certificate) : text(user, 'client-certificate-data'),
        keyFile: key || text(user, 'client-key-data') ? undefined : text(user, 'client-key'),
        keyData: key ? base64(key) : text(user, 'client-key-data'),
        token: credentials.token,
        username: text(user, 'username'),
        password: optionalString(user, 'password') ?? '',
        impersonateUser: text(user, 'as'),
        authProvider: isForeign ? provider : undefined,
      },
    ],
    contexts: [{ name: context, cluster: clusterName, user: userName }],
    currentContext: context,
  });
}

async function applied(config: KubeConfig, selection: Selection): Promise<KubeRequestOptions> {
  const options: NonNullable<Parameters<KubeConfig['applyToHTTPSOptions']>[0]> = {
    headers: {},
    timeout: CONNECT_TIMEOUT_MS,
  };
  try {
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    throw new KsnoopError(
      'BAD_KUBECONFIG',
      `The credentials of "${selection.userName}" cannot be used: ${messageOf(cause)}.`,
      {
        hint: 'Look at what kubectl makes of it: kubectl config view',
        cause,
      },
    );
  }
  const { agent, headers } = options;
  if (typeof agent !== 'object') throw new TypeError('client-node made no agent');
  // client-node makes agents for one request each; ours are several within a moment, and a handshake costs most of them.
  keepAlive(agent);
  const own: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers ?? {})) if (typeof value === 'string') own[name] = value;
  Object.assign(own, impersonation(selection.user), { 'User-Agent': 'ksnoop' });
  return { ...options, agent, headers: own };
}

function keepAlive(agent: Agent): void {
  Object.assign(agent, { keepAlive: true });
}

/** What client-node leaves out of impersonation (kubeconfig: as-groups, as-uid). */
function impersonation(user: JsonObject): Record<string, string | string[]> {
  const groups = arrayAt(user, 'as-groups').filter((group) => typeof group === 'string');
  const uid = optionalString(user, 'as-uid');
  return { ...(groups.length > 0 && { 'Impersonate-Group': groups }), ...(uid && { 'Impersonate-Uid': uid }) };
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

function endOf(certificate: unknown): Date | undefined {
  if (!Buffer.isBuffer(certificate) && typeof certificate !== 'string') return undefined;
  try {
    return new Date(new X509Certificate(certificate).validTo);
  } catch {
    return undefined;
  }
}

function withoutPassword(proxy: string): string {
  if (!URL.canParse(proxy)) return proxy;
  const url = new URL(proxy);
  url.username = '';
  url.password = '';
  return url.href.replace(/\/$/, '');
}
