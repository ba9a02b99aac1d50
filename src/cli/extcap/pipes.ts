import { constants, openSync } from 'node:fs';
import { connect, Socket } from 'node:net';
import type { Duplex, Readable, Writable } from 'node:stream';
import { openFifo } from '../../run/sink/fifo.ts';

/**
 * Open Wireshark's end of a pipe for writing, once Wireshark reads it. Never blocks a thread, which could not be ended.
 * @throws the error of open(2), or the signal's reason
 */
export async function openForWriting(path: string, signal: AbortSignal): Promise<Writable> {
  if (isNamedPipe(path)) return connected(path);
  return new Socket({ fd: await openFifo(path, signal), readable: false });
}

/** Open a pipe that Wireshark writes, whether it does already or not: Wireshark waits for us to. */
export async function openForReading(path: string): Promise<Readable> {
  if (isNamedPipe(path)) return connected(path);
  // Opened for reading and writing, a FIFO without a writer gives no end of file (fifo(7)).
  return new Socket({ fd: openSync(path, constants.O_RDWR | constants.O_NONBLOCK), writable: false });
}

/** Of Windows: the pipe is a server, and we connect to it. */
function isNamedPipe(path: string): boolean {
  return path.startsWith('\\\\.\\pipe\\');
}

function connected(path: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}
