import { readdirSync, readFileSync } from 'node:fs';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import type { Finder, Leftover } from './leftover.ts';

/** In the environment of every process an agent starts (src/agent/spawn-inside.ts). */
const MARK = 'KSNOOP_SESSION=';

/**
 * Processes of captures on this machine (--local) whose agent is gone. The kernel ends them with their agent; one that
 * is there all the same belongs to nobody.
 */
export const processes: Finder = {
  looksFor: 'processes of captures on this machine that have outlived their agent',
  find: () => (process.platform === 'linux' ? orphans('/proc') : []),
};

/** @param proc the process file system, proc(5) */
export function orphans(proc: string): Leftover[] {
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const isMarked = readFileSync(`${proc}/${pid}/environ`, 'latin1')
          .split('\0')
          .some((entry) => entry.startsWith(MARK));
        const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`${proc}/${pid}/status`, 'latin1'))?.[1];
        if (!isMarked || parent !== '1') return [];
        const command = readFileSync(`${proc}/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return [{ what: `process ${pid}: ${command}`, why: 'its agent is gone', remove: async () => end(Number(pid)) }];
      } catch {
        // It has ended meanwhile, or is another user's.
        return [];
      }
    });
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (cause) {
    throw new KsnoopError('STILL_THERE', `Process ${pid} cannot be ended: ${messageOf(cause)}.`, {
      hint: `Run: sudo kill -9 ${pid}`,
      cause,
    });
  }
}
