import type { Agent } from 'node:http';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { type JsonObject, objectAt, optionalString } from '../../wire/guard.ts';
import type { Credentials } from './exec-plugin.ts';
import type { KubeRequestOptions } from './kube.ts';
import type { Selection } from './kubeconfig.ts';
import { CONNECT_TIMEOUT_MS } from './limits.ts';
import { impersonation, type MakeOptions, unusable } from './request-options.ts';

/**
 * The options of a request, made by @kubernetes/client-node, for what few kubeconfigs need: proxies of every kind, and the
 * gcp and azure providers. Commands whose start-up time does not matter also use its object API (object-api.ts). What the
 * first packet waits for is ksnoop's own (api.ts, watch.ts, exec.ts, port-forward.ts). Measured in one run, bundled, from the
 * start of the process to a list of pods: 0.48 s with api.ts, 1.16 s with client-node's whole API, whose bundle is 1.7 MB
 * against 0.1 MB.
 */
export function clientNodeOptions(selection: Selection, server: URL, proxy: string | undefined): MakeOptions {
  let config: KubeConfig | undefined;
  let certificateInUse: string | undefined;
  return (credentials) => {
    if (config === undefined || credentials.certificate !== certificateInUse) config = new KubeConfig();
    certificateInUse = credentials.certificate;
    load(config, selection, { server, proxy, credentials });
    return applied(config, selection);
  };
}

/** Hand one context to client-node, with what the user's credentials are right now. */
function load(
  config: KubeConfig,
  { context, clusterName, userName, cluster, user }: Selection,
  { server, proxy, credentials }: { server: URL; proxy: string | undefined; credentials: Credentials },
): void {
  const text = (object: JsonObject, key: string) => optionalString(object, key) || undefined;
  const { certificate, key } = credentials;
  const provider = objectAt(user, 'auth-provider');
  const isForeign = provider.name !== undefined && provider.name !== 'oidc';
  config.loadFromOptions({
    clusters: [
      {
        name: clusterName,
        // client-node refuses plain http unless this is set; over https it is as in the kubeconfig.
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
    throw unusable(selection, cause);
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

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
