import { dnsAvailable, nodeReady, readyz } from './api.ts';
import type { Layout } from './layout.ts';
import { logOf, recorded } from './processes.ts';
import { exists, partsOf } from './up.ts';

/** Whether the cluster works, and one line for each of its parts. */
export async function status(layout: Layout): Promise<{ readonly works: boolean; readonly lines: readonly string[] }> {
  if (!exists(layout)) return { works: false, lines: [`The cluster ${layout.name} is not up.`] };
  const parts = partsOf(layout).map((name) => ({ name, pid: recorded(layout, name)?.pid }));
  const answers = await Promise.all([
    readyz(layout).then((yes) => ['API server', yes ? 'ready' : 'not ready'] as const),
    ...layout.nodes.map(async ({ name }) => [name, (await nodeReady(layout, name)) ? 'Ready' : 'NotReady'] as const),
    dnsAvailable(layout).then((yes) => ['CoreDNS', yes ? 'available' : 'not available'] as const),
  ]);
  return {
    works:
      parts.every(({ pid }) => pid !== undefined) &&
      answers.every(([, state]) => !state.toLowerCase().startsWith('not')),
    lines: [
      ...parts.map(
        ({ name, pid }) => `${name.padEnd(26)}${pid === undefined ? `dead   (${logOf(layout, name)})` : `pid ${pid}`}`,
      ),
      ...answers.map(([name, state]) => `${name.padEnd(26)}${state}`),
      `${'kubeconfig'.padEnd(26)}${layout.kubeconfig}`,
    ],
  };
}
