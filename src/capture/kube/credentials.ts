import { readFileSync } from 'node:fs';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { objectAt, optionalString, stringsAt } from '../../wire/guard.ts';
import { type Credentials, type PluginTerminal, runExecPlugin } from './exec-plugin.ts';
import type { AuthKind } from './kube.ts';
import type { Selection } from './kubeconfig.ts';
import { CREDENTIALS_REREAD_MS } from './limits.ts';
import { oidcCredentials } from './oidc.ts';

/** Where a user's credentials come from, and how to get them again. */
export interface CredentialSource {
  readonly kind: AuthKind;
  /** The plugin's command, the token's file, the provider's name; empty otherwise. */
  readonly detail: string;
  /** Asking again can give other credentials. */
  readonly renewable: boolean;
  get(): Promise<Credentials>;
}

/** Read a kubeconfig's user entry; nothing is run or fetched yet. */
export function credentialSource(
  { user, cluster, userFile }: Selection,
  terminal?: PluginTerminal | undefined,
): CredentialSource {
  const plugin = objectAt(user, 'exec');
  const command = optionalString(plugin, 'command');
  if (command !== undefined) {
    return { kind: 'exec', detail: command, renewable: true, get: () => runExecPlugin(plugin, cluster, terminal) };
  }
  const provider = objectAt(user, 'auth-provider');
  const providerName = optionalString(provider, 'name');
  if (providerName === 'oidc') {
    const config = { ...stringsAt(provider, 'config') };
    return { kind: 'oidc', detail: 'oidc', renewable: true, get: () => oidcCredentials(config, userFile) };
  }
  // gcp and azure, which kubectl 1.26 removed: client-node still supports them.
  if (providerName !== undefined) return fixed('provider', providerName, {});
  const tokenFile = optionalString(user, 'tokenFile');
  if (tokenFile) {
    return { kind: 'token-file', detail: tokenFile, renewable: true, get: async () => readToken(tokenFile) };
  }
  const token = optionalString(user, 'token');
  if (token) return fixed('token', '', { token });
  if (user['client-certificate'] || user['client-certificate-data']) return fixed('certificate', '', {});
  return fixed(user.username ? 'basic' : 'none', '', {});
}

function fixed(kind: AuthKind, detail: string, credentials: Credentials): CredentialSource {
  return { kind, detail, renewable: false, get: async () => credentials };
}

/** A mounted ServiceAccount token is replaced in its file before it expires. */
function readToken(file: string): Credentials {
  try {
    return { token: readFileSync(file, 'utf8').trim(), expires: Date.now() + CREDENTIALS_REREAD_MS };
  } catch (cause) {
    throw new KsnoopError('BAD_KUBECONFIG', `The token file ${file} cannot be read: ${messageOf(cause)}.`, { cause });
  }
}
