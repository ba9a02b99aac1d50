import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { program } from '../../cluster/builds.ts';
import type { TestCluster } from '../../support/cluster.ts';

/** kubectl as a process whose stdout the caller reads; on stderr it says little. With `-i` the remote's stdin ends with it. */
export function kubectlProcess(on: TestCluster, ...args: string[]): ChildProcess {
  const built = program('kubectl');
  return spawn(existsSync(built) ? built : 'kubectl', ['--kubeconfig', on.kubeconfig, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Wait for a kubectl's end. @throws Error when its command failed: the time that it took would mean nothing */
export async function succeeds(kubectl: ChildProcess): Promise<void> {
  const [code] = await once(kubectl, 'close');
  if (code !== 0) throw new Error(`kubectl ended with code ${code}`);
}
