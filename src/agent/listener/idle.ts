import { isOrphaned } from '../../wire/session-mark.ts';
import type { Proc } from '../netns/proc.ts';
import { jsonLine } from '../session/container-log.ts';
import { startListener } from './session-listener.ts';
import { UnusedEnd } from './unused-end.ts';

/**
 * The DaemonSet's main process: cleans up after an agent that was killed, then waits for a signal or a client of its
 * listener, without timers, so that it costs nothing. Captures over port-forward run in it; those by exec are separate processes.
 * @param endsUnused for an agent that was started for one capture: the process ends when no session has come or is left
 */
export function idle(proc: Proc, { endsUnused }: { readonly endsUnused: boolean }): void {
  reap(proc);
  const log = (text: string) => void process.stdout.write(jsonLine(new Date(), { event: 'agent', message: text }));
  startListener(proc, log, endsUnused ? new UnusedEnd(() => process.exit(0)) : undefined);
  log('ksnoop-agent is ready');
  process.on('SIGTERM', () => process.exit(0));
  process.on('SIGINT', () => process.exit(0));
  // A signal handler alone does not keep Node alive; a timer of the longest possible period does, and never fires.
  setInterval(() => {}, 2 ** 31 - 1);
}

/** End every tcpdump that carries our mark and whose agent is gone. The kernel has done so already, as a rule. */
function reap(proc: Proc): void {
  const orphans = proc.pids().filter((pid) => {
    if (proc.read(pid, 'comm')?.trim() !== 'tcpdump') return false;
    const parent = Number(/^PPid:\s*(\d+)$/m.exec(proc.read(pid, 'status') ?? '')?.[1] ?? 0);
    return isOrphaned(proc.read(pid, 'environ') ?? '', proc.read(parent, 'cmdline') ?? '');
  });
  for (const pid of orphans) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself in the meantime.
    }
  }
}
