import type { Agent, IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import { Deadline } from '../../wire/deadline.ts';
import { RESPONSE_TIMEOUT_MS } from './limits.ts';

/** The user's kind of credentials; decides the hint of an UNAUTHORIZED error. */
export type AuthKind = 'certificate' | 'token' | 'token-file' | 'exec' | 'oidc' | 'basic' | 'provider' | 'none';

/** What every request to one API server has in common: TLS, credentials, the agent that keeps connections. */
export interface KubeRequestOptions extends RequestOptions {
  readonly agent: Agent;
  readonly headers: Record<string, string | string[]>;
}

/** Bounds of lists, for a program that lists for many users at a time: they decide how large their objects are. */
export interface ListBounds {
  /** Bytes of one page. One object of the API server has less (etcd: 1.5 MiB). */
  readonly pageBytes: number;
  /** Bytes of all pages of a list that is kept. */
  readonly bytes: number;
  /** Runs a list when its turn comes. */
  turn<T>(task: () => Promise<T>): Promise<T>;
}

/** One API server as one user. Made by `loadKube` (config.ts); everything else in this room takes it. */
export interface Kube {
  /** Name of the context in the kubeconfig; `in-cluster` inside a pod. */
  readonly context: string;
  /** Name of the cluster in the kubeconfig. */
  readonly cluster: string;
  /** The context's namespace, or `default`. */
  readonly namespace: string;
  /** The API server, possibly with a path in front of /api (Rancher). */
  readonly server: URL;
  readonly auth: AuthKind;
  /** The credential plugin's command for `exec`, the file for `token-file`, the provider's name for `provider`. */
  readonly authDetail: string;
  /** The proxy in use, without credentials. */
  readonly proxy: string | undefined;
  /** Left out: a page has BODY_MAXIMUM bytes at most, a list any number of pages. */
  readonly lists?: ListBounds | undefined;
  /** When the client certificate ends, if there is one that can be read. */
  readonly certificateEnds: Date | undefined;
  /**
   * Options for node:https and ws, with current credentials. Cached until they expire.
   * @throws KsnoopError CREDENTIAL_PLUGIN_MISSING, CREDENTIAL_PLUGIN_FAILED, OIDC_FAILED, BAD_KUBECONFIG
   */
  options(): Promise<KubeRequestOptions>;
  /** Forget cached credentials after a 401. False when no others can be had. */
  renew(): boolean;
  /** Close idle connections, so that the process can end. */
  close(): void;
}

/** The server's URL for a path such as `/api/v1/namespaces/shop/pods`. */
export function kubeUrl(kube: Kube, path: string, query: ReadonlyMap<string, string> | URLSearchParams): URL {
  const url = new URL(kube.server);
  url.pathname = url.pathname.replace(/\/$/, '') + path;
  url.search = new URLSearchParams([...query]).toString();
  return url;
}

/** How the cluster is called in messages: `cluster "kind" (https://127.0.0.1:6443)`. */
export function clusterWords(kube: Kube): string {
  const proxy = kube.proxy === undefined ? '' : ` through the proxy ${kube.proxy}`;
  return `cluster "${kube.cluster}" (${kube.server.href.replace(/\/$/, '')}${proxy})`;
}

/** A response's body as text, cut at `maximum` bytes. Rejects when it stalls for RESPONSE_TIMEOUT_MS. */
export async function bodyText(response: IncomingMessage, maximum: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const stalled = new Deadline(RESPONSE_TIMEOUT_MS, () => void response.destroy());
  try {
    for await (const chunk of response) {
      stalled.refresh();
      chunks.push(chunk);
      length += chunk.length;
      if (length >= maximum) break;
    }
  } finally {
    stalled.clear();
  }
  return Buffer.concat(chunks).toString('utf8', 0, maximum);
}
