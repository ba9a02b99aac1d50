import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, realpath, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { KsnoopError, messageOf, systemCode } from '../../wire/errors.ts';
import { Gate } from '../../wire/gate.ts';
import type { RecordingPiece, StoredFile } from '../../wire/recording.ts';
import { COPY_BYTES, STORED_READ_BYTES } from '../limits.ts';

/** A file on a volume, to be closed. */
export interface StoredBytes {
  /** Its length. */
  readonly bytes: number;
  /** Its bytes from `start` up to and with `end`. */
  read(range: { readonly start: number; readonly end: number }): Readable;
  close(): Promise<void>;
}

/**
 * Volumes that the administrator has mounted into the agent for recordings: a directory for each destination. Every Capture has a directory of
 * its own there, whose name ends with its UID: a ticket gives access to that one alone.
 */
export class Volumes {
  readonly #root: string | undefined;
  /**
   * One file is copied at a time, and one read: a volume that does not answer holds one thread of Node for each, and leaves two of four to
   * the recordings.
   */
  readonly #copies = new Gate(1);
  readonly #reads = new Gate(1);

  /** @param root where they are mounted; left out: there are none */
  constructor(root: string | undefined) {
    this.#root = root;
  }

  /**
   * Copy a finished piece: under another name first, so that a file with its own name is always whole.
   * @param capture UID
   * @throws Error with a sentence that says why it is not there
   */
  copy(capture: string, file: StoredFile, source: string, piece: RecordingPiece, signal: AbortSignal): Promise<void> {
    return this.#copies.run(() => this.#copy(capture, file, source, piece, signal));
  }

  /**
   * Remove all files of a Capture from every volume, after what is copied now. An empty directory of its namespace goes too.
   * @param capture UID
   * @throws KsnoopError CANNOT_WRITE
   */
  remove(capture: string): Promise<void> {
    return this.#copies.run(() => this.#remove(capture));
  }

  async #remove(capture: string): Promise<void> {
    const root = this.#root;
    if (root === undefined) return;
    try {
      for (const volume of await namesIn(root)) {
        const mount = await realpath(join(root, volume));
        for (const namespace of await namesIn(mount)) {
          const place = join(mount, namespace);
          for (const name of await namesIn(place)) {
            if (!name.endsWith(`-${capture}`)) continue;
            await rm(join(place, name), { recursive: true, force: true, maxRetries: 3 });
            await rmdir(place).catch(() => {});
          }
        }
      }
    } catch (thrown) {
      throw new KsnoopError('CANNOT_WRITE', `The recording stays on a volume: ${messageOf(thrown)}.`);
    }
  }

  async #copy(
    capture: string,
    file: StoredFile,
    source: string,
    piece: RecordingPiece,
    signal: AbortSignal,
  ): Promise<void> {
    const { volume } = file;
    try {
      signal.throwIfAborted();
      const directory = await this.#directory(capture, file);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await this.#checkPlace(volume, directory);
      const partial = join(directory, `.${file.piece}.part`);
      try {
        if ((await copied(source, partial, signal)) !== piece.sha256) throw new Error('its SHA-256 changed on the way');
        await rename(partial, join(directory, file.piece));
      } catch (thrown) {
        await rm(partial, { force: true }).catch(() => {});
        throw thrown;
      }
    } catch (thrown) {
      if (thrown instanceof KsnoopError) throw new Error(thrown.message.replace(/\.$/, ''));
      const isFull = ['ENOSPC', 'EDQUOT'].includes(systemCode(thrown) ?? '');
      throw new Error(`the volume ${volume} ${isFull ? 'is full' : 'takes nothing'}: ${messageOf(thrown)}`);
    }
  }

  /**
   * Open a file of a Capture.
   * @param capture UID
   * @returns a regular file
   * @throws KsnoopError NO_SUCH_RECORDING, CANNOT_READ
   */
  async open(capture: string, file: StoredFile): Promise<StoredBytes> {
    const { handle, bytes } = await this.#reads.run(() => this.#open(capture, file));
    return {
      bytes,
      read: ({ start, end }) => Readable.from(this.#chunks(handle, start, end), { objectMode: false }),
      close: () => handle.close(),
    };
  }

  async *#chunks(handle: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at <= end; ) {
      const length = Math.min(STORED_READ_BYTES, end + 1 - at);
      const { bytesRead, buffer } = await this.#reads.run(() => handle.read(Buffer.alloc(length), 0, length, at));
      // It became shorter: the response has too few bytes, which who fetches sees.
      if (bytesRead === 0) throw new Error('the file ends early');
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  }

  async #open(capture: string, file: StoredFile): Promise<{ handle: FileHandle; bytes: number }> {
    const directory = await this.#directory(capture, file);
    let handle: FileHandle | undefined;
    try {
      await this.#checkPlace(file.volume, directory);
      const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
      handle = await open(join(directory, file.piece), flags);
      const status = await handle.stat();
      if (!status.isFile()) throw new Error('it is no file');
      return { handle, bytes: status.size };
    } catch (thrown) {
      await handle?.close();
      if (thrown instanceof KsnoopError) throw thrown;
      const where = `${file.directory}/${file.piece}`;
      if (systemCode(thrown) === 'ENOENT') {
        throw new KsnoopError('NO_SUCH_RECORDING', `The volume ${file.volume} has no file ${where} on this node.`);
      }
      throw new KsnoopError(
        'CANNOT_READ',
        `${where} on the volume ${file.volume} cannot be read: ${messageOf(thrown)}.`,
      );
    }
  }

  async #directory(capture: string, { volume, namespace, name, directory }: StoredFile): Promise<string> {
    return join(await this.#mount(volume), namespace, `${name}-${capture}`, directory);
  }

  /** @throws KsnoopError NO_SUCH_RECORDING where no such volume is mounted */
  async #mount(volume: string): Promise<string> {
    if (this.#root !== undefined) {
      try {
        return await realpath(join(this.#root, volume));
      } catch {
        // Stated below.
      }
    }
    throw new KsnoopError(
      'NO_SUCH_RECORDING',
      `The agent has no volume ${volume}: ksnoop install --captures mounts it.`,
    );
  }

  /** Nothing that others have put on the volume leads out of it. */
  async #checkPlace(volume: string, directory: string): Promise<void> {
    if ((await realpath(directory)) === directory) return;
    throw new KsnoopError('CANNOT_READ', `A link on the volume ${volume} leads elsewhere.`);
  }
}

/** Names of the directories in one, links not followed; none where it does not exist. */
async function namesIn(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return [];
    throw thrown;
  }
}

/** Copy a file to the disk behind the kernel's cache. @returns the SHA-256 of what was read, hex */
async function copied(source: string, target: string, signal: AbortSignal): Promise<string> {
  const { O_WRONLY, O_CREAT, O_EXCL } = constants;
  // Of an attempt of before, or of somebody else: what is there is not opened, for it may be a pipe or a link.
  await rm(target, { force: true });
  const from = await open(source, constants.O_RDONLY);
  try {
    const to = await open(target, O_WRONLY | O_CREAT | O_EXCL, 0o600);
    try {
      const hash = createHash('sha256');
      const buffer = Buffer.alloc(COPY_BYTES);
      for (;;) {
        signal.throwIfAborted();
        const { bytesRead } = await from.read(buffer, 0, buffer.length, null);
        if (bytesRead === 0) break;
        hash.update(buffer.subarray(0, bytesRead));
        for (let done = 0; done < bytesRead; ) done += (await to.write(buffer, done, bytesRead - done)).bytesWritten;
      }
      await to.sync();
      return hash.digest('hex');
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}
