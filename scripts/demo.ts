/**
 * `npm run demo`: ksnoop's main job on real traffic, on this machine alone. `-- --cluster` does it on a real Kubernetes made
 * here, `-- --context NAME` on a cluster that exists.
 */
import { parseArgs } from 'node:util';
import { clusterDemo, contextDemo } from './demo/cluster.ts';
import { localDemo } from './demo/local.ts';

try {
  const { values } = parseArgs({ options: { cluster: { type: 'boolean' }, context: { type: 'string' } } });
  if (values.context !== undefined) await contextDemo(values.context);
  else if (values.cluster) await clusterDemo();
  else await localDemo();
} catch (thrown) {
  process.stderr.write(`demo: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exitCode = 1;
}
