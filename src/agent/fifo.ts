import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { KsnoopError, messageOf } from '../wire/errors.ts';

/** A pipe without a name: both ends are descriptors of this process. */
export interface Pipe {
  readonly read: number;
  readonly write: number;
}

/** Memory that every Linux host and every container can write to, also where the root is read-only (shm_overview(7)). */
const FOLDER = '/dev/shm';

let made = 0;

/**
 * A pipe of the kernel's. Node's own child pipes are sockets, which cannot be opened through /proc/self/fd, and it has
 * no pipe(2): a FIFO is made, opened at both ends and unlinked at once. Synchronous, so that no way of ending in
 * between leaves it behind.
 * @throws KsnoopError NO_PIPE
 */
export function makePipe(): Pipe {
  made += 1;
  const path = `${FOLDER}/ksnoop-${process.pid}-${made}`;
  try {
    execFileSync('mkfifo', ['-m', '600', path], { stdio: ['ignore', 'ignore', 'pipe'] });
    try {
      // Without O_NONBLOCK each end would wait for the other.
      const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        return { read, write: openSync(path, constants.O_WRONLY) };
      } catch (thrown) {
        closeSync(read);
        throw thrown;
      }
    } finally {
      unlinkSync(path);
    }
  } catch (cause) {
    throw new KsnoopError('NO_PIPE', `No pipe could be made in ${FOLDER}: ${messageOf(cause)}.`, {
      hint: `The agent needs mkfifo and must be able to write to ${FOLDER}.`,
      cause,
    });
  }
}
