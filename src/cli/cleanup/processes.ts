import { readdirSync, readFileSync } from 'node:fs';
import { sanitise } from '../../view/sanitise.ts';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { isOrphaned } from '../../wire/session-mark.ts';
import type { Finder, Leftover } from './leftover.ts';

/**
 * Processes of captures on this machine (--local) whose agent is gone. The kernel ends them with their agent; one that
 * still exists belongs to no session.
 */
export const processes: Finder = {
  looksFor: 'processes of captures on this machine that have outlived their agent',
  find: () => (process.platform === 'linux' ? orphans('/proc') : []),
};

/** @param proc the process file system, proc(5) */
function orphans(proc: string): Leftover[] {
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const read = (of: string, file: string) => readFileSync(`${proc}/${of}/${file}`, 'utf8');
        const parent = /^PPid:\s+(\d+)$/m.exec(read(pid, 'status'))?.[1] ?? '';
        if (!isOrphaned(read(pid, 'environ'), read(parent, 'cmdline'))) return [];
        const command = sanitise(read(pid, 'cmdline').replaceAll('\0', ' ')).trim();
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
