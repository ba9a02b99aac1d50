import { isSea } from 'node:sea';

/** The word that makes the one executable (scripts/binary) the agent, for --local. */
export const AGENT_WORD = '__agent';

/** Whether this is the one executable, which has its files inside. */
export function isOneExecutable(): boolean {
  return isSea();
}

/** What starts this program again, with the same Node: a program and its first arguments. */
export function ownCommand(): readonly [program: string, ...words: string[]] {
  return isSea() ? [process.execPath] : [process.execPath, process.argv[1] ?? ''];
}
