import type { AboutConnection } from '../../analyze/connection-facts.ts';
import { factsAbout } from '../../analyze/findings/policy/about-connection.ts';
import { proxyMode } from '../../capture/facts/proxy-mode.ts';
import type { CapturePlan } from '../capture/plan.ts';
import { examineNamespaces } from './examination.ts';

/**
 * What the cluster's objects show about connections, for a capture. They are read once, in the background.
 * @param started resolves when the capture is under way: the first packets do not wait for requests
 * @param signal gives up
 * @returns the lookup, which knows nothing until the objects are read, nor where they cannot be; undefined without a cluster,
 *   or with several
 */
export function connectionFacts(
  { cluster }: CapturePlan,
  started: Promise<void>,
  signal: AbortSignal,
): AboutConnection | undefined {
  if (cluster === undefined) return undefined;
  let known: AboutConnection | undefined;
  const read = async () => {
    await started;
    const { kube, namespaces } = cluster;
    const [{ facts }, mode] = await Promise.all([examineNamespaces(kube, namespaces, signal), proxyMode(kube, signal)]);
    if (facts !== undefined) known = (client, server, port) => factsAbout({ client, server, port }, facts, mode);
  };
  // What cannot be read is left out: packets are shown all the same.
  void read().catch(() => {});
  return (client, server, port) => known?.(client, server, port);
}
