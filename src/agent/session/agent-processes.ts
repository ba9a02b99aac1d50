import { KsnoopError } from '../../wire/errors.ts';
import { SESSIONS_PER_NODE } from '../../wire/limits.ts';
import { isInCluster } from '../netns/node.ts';
import type { Proc } from '../netns/proc.ts';

/** The verbs of processes that capture: started by exec, and by the waiting process for a client of its listener. */
const CAPTURING = ['capture', 'session'];

/** The agent's own processes on this node: those of its container running one of these verbs. */
export function agentProcesses(proc: Proc, verbs: readonly string[]): number[] {
  const own = proc.read('self', 'cgroup');
  return proc.pids().filter((pid) => {
    if (proc.read(pid, 'cgroup') !== own) return false;
    const words = proc.commandLine(pid);
    return words.some((word) => word.includes('ksnoop-agent')) && verbs.includes(words.at(-1) ?? '');
  });
}

/** @throws KsnoopError TOO_MANY_SESSIONS when the node already runs as many captures as it may */
export function checkSessionBound(proc: Proc, bound: number = SESSIONS_PER_NODE): void {
  if (!isInCluster()) return;
  const running = agentProcesses(proc, CAPTURING).length;
  if (running <= bound) return;
  throw new KsnoopError(
    'TOO_MANY_SESSIONS',
    `The agent already runs ${running - 1} captures, and ${bound} are allowed.`,
    {
      hint: 'End one of them, or capture several targets with one ksnoop.',
    },
  );
}
