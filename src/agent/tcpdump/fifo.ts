import { execFile, execFileSync } from 'node:child_process';
import { closeSync, constants, fchmodSync, openSync, rmSync } from 'node:fs';
import { KsnoopError, messageOf } from '../../wire/errors.ts';

/** A pipe without a name: both ends are descriptors of this process. */
export interface Pipe {
  readonly read: number;
  readonly write: number;
}

/** Memory that every Linux host and every container can write to, also where the root is read-only (shm_overview(7)). */
const DIRECTORY = '/dev/shm';

let made = 0;

/** Made ahead, for captures that are about to start. */
const ready: Pipe[] = [];

/**
 * A pipe of the kernel's. Node's own child pipes are sockets, which cannot be opened through /proc/self/fd, and it has
 * no pipe(2): a FIFO is made, opened at both ends and unlinked at once. Synchronous, so that no way of ending in
 * between leaves it behind.
 * @throws KsnoopError NO_PIPE
 */
export function makePipe(): Pipe {
  if (ready.length === 0) preparePipes(1);
  return ready.pop() as Pipe;
}

/**
 * Make the pipes of captures that start together: a program is run for all of them once.
 * @throws KsnoopError NO_PIPE
 */
export function preparePipes(count: number): void {
  const paths = newPaths(count - ready.length);
  if (paths.length === 0) return;
  try {
    try {
      execFileSync('mkfifo', [...MODE, ...paths], { stdio: ['ignore', 'ignore', 'pipe'] });
      takeAll(paths);
    } finally {
      // Also what was made before one could not be.
      removeAll(paths);
    }
  } catch (cause) {
    throw new KsnoopError('NO_PIPE', `No pipe could be made in ${DIRECTORY}: ${messageOf(cause)}.`, {
      hint: `The agent needs mkfifo and must be able to write to ${DIRECTORY}.`,
      cause,
    });
  }
}

/**
 * Have so many pipes ready, for captures that may start soon. Resolves when they are; never rejects: an error is reported
 * by the capture that needs them.
 */
export async function readyPipes(count: number): Promise<void> {
  const paths = newPaths(count - ready.length - underWay);
  if (paths.length === 0) return;
  underWay += paths.length;
  await new Promise<void>((resolve) => {
    execFile('mkfifo', [...MODE, ...paths], (error) => {
      underWay -= paths.length;
      try {
        if (error === null) takeAll(paths);
      } catch {
        // Those that could not be opened are made again when they are needed.
      }
      removeAll(paths);
      resolve();
    });
  });
}

const MODE = ['-m', '600'] as const;

/** Pipes that are being made. */
let underWay = 0;

function newPaths(count: number): string[] {
  return Array.from({ length: Math.max(0, count) }, () => {
    made += 1;
    return `${DIRECTORY}/ksnoop-${process.pid}-${made}`;
  });
}

function takeAll(paths: readonly string[]): void {
  for (const path of paths) ready.push(openBoth(path));
}

function removeAll(paths: readonly string[]): void {
  for (const path of paths) rmSync(path, { force: true });
}

function openBoth(path: string): Pipe {
  // Without O_NONBLOCK each end would wait for the other.
  const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const write = openSync(path, constants.O_WRONLY);
    // tcpdump, which is another user, opens it by its descriptor; by then the pipe has no name any more.
    rmSync(path);
    fchmodSync(write, 0o622);
    return { read, write };
  } catch (thrown) {
    closeSync(read);
    throw thrown;
  }
}
