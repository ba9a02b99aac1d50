import { installedVersions } from '../../capture/install/versions.ts';
import { sanitise } from '../../view/sanitise.ts';
import { KsnoopError } from '../../wire/errors.ts';
import { VERSION } from '../../wire/version.ts';
import { openCluster } from '../cluster.ts';
import { skewAdvice, skewOf } from './skew.ts';
import { clientLine, type Versions } from './versions.ts';

/** The agents of a cluster; why they are not known, where it cannot be reached. */
export async function clusterVersions(flags: {
  kubeconfig?: string;
  context?: string;
}): Promise<Pick<Versions, 'cluster' | 'error'>> {
  try {
    const kube = await openCluster(flags);
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
  const lines = [clientLine(client)];
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
