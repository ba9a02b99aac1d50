import type { InstalledVersions } from '../../capture/install/versions.ts';
import type { Skew } from './skew.ts';

/** What `ksnoop version` shows. */
export interface Versions {
  readonly client: { readonly version: string; readonly protocol: string; readonly node: string };
  readonly cluster?: InstalledVersions & { readonly context: string; readonly skew: Skew };
  /** Why nothing is known of the cluster. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** The client's line, for people. */
export function clientLine({ version, protocol, node }: Versions['client']): string {
  return `client  ksnoop ${version}, protocol ${protocol}, Node ${node}`;
}
