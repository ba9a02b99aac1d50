import { readFileSync } from 'node:fs';

/** Resident memory of a process of this machine, bytes; 0 when it has ended. */
export function residentBytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Watches processes' resident memory until it is asked for the most each has had, bytes. */
export function watchMemory(pids: readonly number[]): () => number[] {
  const most = pids.map(() => 0);
  const look = () => {
    for (const [index, pid] of pids.entries()) most[index] = Math.max(most[index] ?? 0, residentBytes(pid));
  };
  const timer = setInterval(look, 100);
  return () => {
    clearInterval(timer);
    look();
    return most;
  };
}
