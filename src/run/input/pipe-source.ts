import { Socket } from 'node:net';
import { KsnoopError, messageOf } from '../../wire/errors.ts';

const CHUNK_BYTES = 256 * 1024;

/**
 * Bytes of a pipe, FIFO or socket in order, read when there is something to read. A thread of its own that waits in
 * read(2) could not be called back: neither would a signal end it, nor could the process exit.
 */
export class PipeSource {
  /** Bytes handed out. */
  position = 0;
  readonly #buffer = new Uint8Array(CHUNK_BYTES);
  readonly #socket: Socket;
  #read: Uint8Array | undefined;
  #ended = false;
  #error: Error | undefined;
  #wake: () => void = () => {};

  /** @param descriptor closed with this source, and made non-blocking */
  constructor(descriptor: number) {
    const callback = (count: number): boolean => {
      this.#read = this.#buffer.subarray(0, count);
      this.#wake();
      // Nothing more comes into the buffer before it is asked for.
      return false;
    };
    this.#socket = new Socket({
      fd: descriptor,
      readable: true,
      writable: false,
      onread: { buffer: this.#buffer, callback },
    });
    this.#socket.on('error', (error) => {
      this.#error = error;
    });
    const ended = () => {
      this.#ended = true;
      this.#wake();
    };
    this.#socket.on('end', ended).on('close', ended);
  }

  /**
   * The next bytes, valid until the next call; none at the end; undefined when aborted.
   * @throws KsnoopError CANNOT_READ
   */
  async next(signal: AbortSignal): Promise<Uint8Array | undefined> {
    if (signal.aborted) return undefined;
    if (this.#read === undefined && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener('abort', this.#abort, { once: true });
        this.#socket.resume();
      });
      signal.removeEventListener('abort', this.#abort);
      if (signal.aborted) return undefined;
    }
    const read = this.#read ?? this.#buffer.subarray(0, 0);
    this.#read = undefined;
    this.position += read.length;
    if (read.length === 0 && this.#error !== undefined) {
      const cause = this.#error;
      throw new KsnoopError('CANNOT_READ', `The input cannot be read: ${messageOf(cause)}.`, { cause });
    }
    return read;
  }

  close(): void {
    this.#socket.destroy();
  }

  readonly #abort = (): void => this.#wake();
}
