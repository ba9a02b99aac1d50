import { X509Certificate } from 'node:crypto';
import { EXIT, KsnoopError } from '../../wire/errors.ts';
import { optionalString } from '../../wire/guard.ts';
import { credentialSource } from './credentials.ts';
import type { PluginTerminal } from './exec-plugin.ts';
import type { Kube, KubeRequestOptions, ListBounds } from './kube.ts';
import { type Selection, selectContext } from './kubeconfig.ts';
import { EXPIRY_MARGIN_MS } from './limits.ts';
import { proxyFor } from './proxy.ts';
import { directOptions, type MakeOptions } from './request-options.ts';

/** Which cluster: undefined and '' are the user's defaults. */
export interface KubeSelection {
  /** One file instead of KUBECONFIG or ~/.kube/config. */
  readonly kubeconfig?: string | undefined;
  /** A context instead of the current one. */
  readonly context?: string | undefined;
  /** Where a credential plugin may ask its user to log in; left out: plugins cannot ask. */
  readonly pluginTerminal?: PluginTerminal | undefined;
  readonly lists?: ListBounds | undefined;
}

/**
 * The API server a kubeconfig's context names. Reads files only; plugins run and tokens are refreshed at the first
 * `options()`.
 * @throws KsnoopError NO_KUBECONFIG, BAD_KUBECONFIG, CONTEXT_NOT_FOUND
 */
export async function loadKube(options: KubeSelection = {}): Promise<Kube> {
  const { kubeconfig, context } = options;
  const selection = selectContext({ ...(kubeconfig && { kubeconfig }), ...(context && { context }) });
  const server = serverOf(selection);
  const proxy = optionalString(selection.cluster, 'proxy-url') || proxyFor(server, process.env);
  const source = credentialSource(selection, options.pluginTerminal);
  let makeOptions: MakeOptions | undefined;
  let cached: { options: KubeRequestOptions; until: number } | undefined;
  let pending: Promise<KubeRequestOptions> | undefined;

  async function make(): Promise<KubeRequestOptions> {
    const credentials = await source.get();
    makeOptions ??=
      proxy === undefined && source.kind !== 'provider'
        ? directOptions(selection, server)
        : (await import('./client-node.ts')).clientNodeOptions(selection, server, proxy);
    const result = await makeOptions(credentials);
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
    lists: options.lists,
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
  throw new KsnoopError(
    'BAD_KUBECONFIG',
    `The server of cluster "${selection.clusterName}" is not an address: ${text}.`,
    {
      exit: EXIT.usage,
    },
  );
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
