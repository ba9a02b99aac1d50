import { readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { arrayAt, type JsonObject, optionalString } from '../../wire/guard.ts';
import type { Credentials } from './exec-plugin.ts';
import type { KubeRequestOptions } from './kube.ts';
import type { Selection } from './kubeconfig.ts';
import { CONNECT_TIMEOUT_MS } from './limits.ts';

/**
 * Makes what every request has in common from what the user's credentials are right now. Its agent holds the
 * certificate, and with it open connections: it stays the same until the certificate changes.
 */
export type MakeOptions = (credentials: Credentials) => Promise<KubeRequestOptions>;

/**
 * For an API server that is reached without a proxy, with credentials that ksnoop reads itself: a start needs nothing
 * of client-node then, whose modules take longer to load than the first answer takes.
 */
export function directOptions(selection: Selection, server: URL): MakeOptions {
  let agent: HttpAgent | undefined;
  let certificateInUse: string | undefined;
  return async (credentials) => {
    const { cluster, user } = selection;
    const own = {
      ca: fileOrData(selection, cluster, 'certificate-authority'),
      cert: credentials.certificate || fileOrData(selection, user, 'client-certificate'),
      key: credentials.key || fileOrData(selection, user, 'client-key'),
      servername: optionalString(cluster, 'tls-server-name') || undefined,
      // Left out NODE_TLS_REJECT_UNAUTHORIZED decides.
      ...(cluster['insecure-skip-tls-verify'] === true && { rejectUnauthorized: false }),
    };
    if (agent === undefined || credentials.certificate !== certificateInUse) {
      const settings = { ...own, keepAlive: true, timeout: CONNECT_TIMEOUT_MS };
      agent =
        server.protocol === 'http:'
          ? new HttpAgent(settings)
          : new HttpsAgent({ ...settings, secureContext: contextOf(selection, own) });
      certificateInUse = credentials.certificate;
    }
    const name = optionalString(user, 'username');
    return {
      ...own,
      agent,
      ...(name && { auth: `${name}:${optionalString(user, 'password') ?? ''}` }),
      headers: {
        ...(credentials.token && { Authorization: `Bearer ${credentials.token}` }),
        ...impersonation(user),
        'User-Agent': 'ksnoop',
      },
    };
  };
}

/** Certificates and key as all connections use them: each of its own would read them again, 2 ms. @throws KsnoopError BAD_KUBECONFIG */
function contextOf(selection: Selection, own: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(own);
  } catch (cause) {
    throw unusable(selection, cause);
  }
}

/** Headers of impersonation (kubeconfig: as, as-groups, as-uid). */
export function impersonation(user: JsonObject): Record<string, string | string[]> {
  const name = optionalString(user, 'as');
  const groups = arrayAt(user, 'as-groups').filter((group) => typeof group === 'string');
  const uid = optionalString(user, 'as-uid');
  return {
    ...(name && { 'Impersonate-User': name }),
    ...(groups.length > 0 && { 'Impersonate-Group': groups }),
    ...(uid && { 'Impersonate-Uid': uid }),
  };
}

/** A member's data if it has any, else the file it names. @throws KsnoopError BAD_KUBECONFIG */
function fileOrData(selection: Selection, object: JsonObject, key: string): Buffer | undefined {
  const data = optionalString(object, `${key}-data`);
  if (data) return Buffer.from(data, 'base64');
  const file = optionalString(object, key);
  if (!file) return undefined;
  try {
    return readFileSync(file);
  } catch (cause) {
    throw unusable(selection, cause);
  }
}

/** The error of a kubeconfig that cannot be used to connect. */
export function unusable({ userName }: Selection, cause: unknown): KsnoopError {
  return new KsnoopError('BAD_KUBECONFIG', `The credentials of "${userName}" cannot be used: ${messageOf(cause)}.`, {
    hint: 'Look at what kubectl makes of it: kubectl config view',
    cause,
  });
}
