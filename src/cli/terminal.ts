import { isatty } from 'node:tty';

const DESCRIPTOR = { stdin: 0, stdout: 1, stderr: 2 } as const;

/** Whether one of the process's streams is a terminal. To ask `process.stdin` itself would make a stream of it first: 5 ms where it is a file. */
export function isTerminal(stream: keyof typeof DESCRIPTOR): boolean {
  return isatty(DESCRIPTOR[stream]);
}
