import { type ChildProcess, spawn } from 'node:child_process';
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
