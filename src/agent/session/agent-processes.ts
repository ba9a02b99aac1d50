import type { Proc } from '../netns/proc.ts';

/** The agent's own processes on this node: those of its container running one of these verbs. */
export function agentProcesses(proc: Proc, verbs: readonly string[]): number[] {
  const own = proc.read('self', 'cgroup');
  return proc.pids().filter((pid) => {
    if (proc.read(pid, 'cgroup') !== own) return false;
    const words = proc.commandLine(pid);
    return words.some((word) => word.includes('ksnoop-agent')) && verbs.includes(words.at(-1) ?? '');
  });
}
