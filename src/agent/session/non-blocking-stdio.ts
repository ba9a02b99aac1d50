import { createWriteStream, fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';

/**
 * Our own stdout or stderr as a stream that never blocks the event loop: Node's process.stdout is synchronous on a
 * pipe, and a reader that stops would stop the lease from being watched.
 */
export function nonBlockingStdio(fd: 1 | 2): Writable {
  const kind = fstatSync(fd);
  const stream: Writable =
    kind.isFIFO() || kind.isSocket()
      ? new Socket({ fd, readable: false, writable: true })
      : createWriteStream('', { fd, autoClose: false });
  return stream;
}
