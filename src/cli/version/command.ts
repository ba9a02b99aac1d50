import { type InstalledVersions, installedVersions } from '../../capture/install/versions.ts';
import { jsonLines } from '../../view/json-line.ts';
import { sanitise } from '../../view/sanitise.ts';
import { EXIT, type ExitCode, KsnoopError } from '../../wire/errors.ts';
import { PROTOCOL_TEXT, VERSION } from '../../wire/version.ts';
import { openCluster } from '../cluster.ts';
import { textOrJson } from '../usage.ts';
import { type Skew, skewAdvice, skewOf } from './skew.ts';

/** What commander hands over for `ksnoop version`. */
export interface RawVersionOptions {
  readonly client?: boolean;
  readonly output?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
}

interface Versions {
  readonly client: { readonly version: string; readonly protocol: string; readonly node: string };
  readonly cluster?: InstalledVersions & { readonly context: string; readonly skew: Skew };
  /** Why nothing is known of the cluster. */
  readonly error?: { readonly code: string; readonly message: string };
}

/**
 * `ksnoop version`: this program and the agents of the cluster. A cluster that cannot be reached is said and is no failure,
 * as with kubectl version.
 */
export async function versionCommand(raw: RawVersionOptions): Promise<ExitCode> {
  const form = textOrJson(raw.output, 'version');
  const client = { version: VERSION, protocol: PROTOCOL_TEXT, node: process.versions.node };
  const versions: Versions = { client, ...(raw.client === true ? {} : await clusterVersions(raw)) };
  process.stdout.write(`${form === 'json' ? jsonLines(versions) : versionLines(versions).join('\n')}\n`);
  return EXIT.done;
}

async function clusterVersions(raw: RawVersionOptions): Promise<Pick<Versions, 'cluster' | 'error'>> {
  try {
    const kube = await openCluster(raw);
    try {
      const found = await installedVersions(kube);
      return { cluster: { context: kube.context, ...found, skew: skewOf(VERSION, found.version) } };
    } finally {
      kube.close();
    }
  } catch (thrown) {
    if (!(thrown instanceof KsnoopError)) throw thrown;
    return { error: { code: thrown.code, message: thrown.message } };
  }
}

/** For people: a line for the client, one for each image of the agents. */
export function versionLines({ client, cluster, error }: Versions): string[] {
  const lines = [`client  ksnoop ${client.version}, protocol ${client.protocol}, Node ${client.node}`];
  if (error !== undefined) lines.push(`agents  not known: ${sanitise(error.message)}`);
  if (cluster === undefined) return lines;
  const { installed, version, agents, context, skew } = cluster;
  if (!installed) return [...lines, sanitise(`agents  not installed in context ${context}`)];
  lines.push(sanitise(`agents  ksnoop ${version || '(unknown version)'} in context ${context}`));
  for (const { image, digest, nodes } of agents) {
    const running = digest === '' ? 'not started' : digest;
    lines.push(sanitise(`        ${nodes.length} × ${image} (${running})`));
  }
  const next = skewAdvice(skew, version);
  return next === undefined ? lines : [...lines, next];
}
