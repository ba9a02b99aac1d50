import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { HANG_MS } from './hang.ts';

/** Processes of this machine, those of its test clusters' containers included, that carry a capture session's mark. */
export function processesOf(session: string): number[] {
  // Every process carries the empty text.
  if (session === '') throw new Error('no session was told of');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(session);
      } catch {
        return false;
      }
    });
}

/** The processes of these sessions that are still left when a hang is certain. */
export async function leftOf(sessions: readonly string[]): Promise<number[]> {
  const left = () => sessions.flatMap(processesOf);
  const until = performance.now() + HANG_MS;
  while (left().length > 0 && performance.now() < until) await sleep(50);
  return left();
}

/** The sessions that `ksnoop -v` has told of on stderr. */
export function sessionsIn(stderr: string): string[] {
  return [...new Set([...stderr.matchAll(/session ([0-9a-f]{32})/g)].map((match) => match[1] ?? ''))];
}
