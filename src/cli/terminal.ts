import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';

const DESCRIPTOR = { stdin: 0, stdout: 1, stderr: 2 } as const;

/** Whether one of the process's streams is a terminal. To ask `process.stdin` itself would make a stream of it first: 5 ms where it is a file. */
export function isTerminal(stream: keyof typeof DESCRIPTOR): boolean {
  const descriptor = DESCRIPTOR[stream];
  return mayBeTerminal(descriptor) && isatty(descriptor);
}

/** Major number of Linux's devices of memory (kernel: Documentation/admin-guide/devices.txt): /dev/null is one. */
const MEMORY_DEVICES = 1;

/** Whether it is worth asking: node:tty brings node:net and streams along, 3 ms that a file, a pipe and /dev/null can do without. */
function mayBeTerminal(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor);
    return stat.isCharacterDevice() && !(process.platform === 'linux' && stat.rdev >> 8 === MEMORY_DEVICES);
  } catch {
    // It is closed.
    return false;
  }
}
