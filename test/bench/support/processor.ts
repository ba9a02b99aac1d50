import { readFileSync } from 'node:fs';

/** Clock ticks a second in /proc (sysconf(_SC_CLK_TCK) is 100 on every Linux that Node runs on). */
const TICKS = 100;

/** Processor seconds, user and system, that a process and its ended children have used so far; 0 when it is gone. */
export function processorSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // proc(5): utime, stime, cutime, cstime are fields 14 to 17; the command's name in field 2 may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS;
  } catch {
    return 0;
  }
}

/**
 * Processor seconds that everything in a process's cgroup has used so far: a container with what is exec'd in it.
 * Undefined where this machine does not show it.
 */
export function cgroupSeconds(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
    const first = /^\d+:(?<controllers>(?:\w+,)*cpuacct(?:,\w+)*):(?<path>.*)$/m.exec(text)?.groups;
    if (first !== undefined) {
      return Number(readFileSync(`/sys/fs/cgroup/${first.controllers}${first.path}/cpuacct.usage`, 'utf8')) / 1e9;
    }
    const path = /^0::(.*)$/m.exec(text)?.[1] ?? '';
    const microseconds = /^usage_usec (\d+)$/m.exec(readFileSync(`/sys/fs/cgroup${path}/cpu.stat`, 'utf8'))?.[1];
    return microseconds === undefined ? undefined : Number(microseconds) / 1e6;
  } catch {
    return undefined;
  }
}
