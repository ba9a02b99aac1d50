import { writeFileSync } from 'node:fs';
import { KsnoopError } from '../../wire/errors.ts';
import { SESSIONS_PER_NODE } from '../../wire/limits.ts';
import type { Proc } from '../netns/proc.ts';

/** The verbs of processes that capture: started by exec, and by the waiting process for a client of its listener. */
const CAPTURING = ['capture', 'session'];

/** The agent's own processes on this node: those of its container running one of these verbs. */
function agentProcesses(proc: Proc, verbs: readonly string[]): number[] {
  const own = proc.read('self', 'cgroup');
  return proc.pids().filter((pid) => {
    if (proc.read(pid, 'cgroup') !== own) return false;
    const words = proc.commandLine(pid);
    return words.some((word) => word.includes('ksnoop-agent')) && verbs.includes(words.at(-1) ?? '');
  });
}

/** @throws KsnoopError TOO_MANY_SESSIONS when the node already runs as many captures as it may */
export function checkSessionBound(proc: Proc, bound: number = SESSIONS_PER_NODE): void {
  if (process.env.NODE_NAME === undefined) return;
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

/**
 * A line for the container's log, so that an administrator sees who captured what: stdout of the agent's idle process.
 * Outside a container there is none, and nothing is said.
 */
export function writeContainerLog(proc: Proc, line: string): void {
  if (process.env.NODE_NAME === undefined) return;
  const [idle] = agentProcesses(proc, ['idle']);
  if (idle === undefined) return;
  try {
    writeFileSync(proc.path(idle, 'fd', 1), `${new Date().toISOString()} ${line}\n`);
  } catch {
    // The log is an administrator's convenience; the capture does not depend on it.
  }
}
