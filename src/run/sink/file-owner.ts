import type { Stats } from 'node:fs';

/**
 * Whether another user could read what is written to this, or decides where it goes. Root can do both anyway, and the user's
 * own files are the user's choice.
 * @returns what it is, the rest of a sentence that begins with its path; undefined where it is the user's or root's
 */
export function anotherOwner(state: Stats): string | undefined {
  // Windows has no such ids.
  const own = process.geteuid?.();
  if (own === undefined || state.uid === own || state.uid === 0) return undefined;
  // A device's owner does not read what is written to it.
  if (state.isCharacterDevice()) return undefined;
  const what = state.isSymbolicLink() ? 'symbolic link' : state.isFIFO() ? 'FIFO' : 'file';
  return `is a ${what} of another user (uid ${state.uid})`;
}
