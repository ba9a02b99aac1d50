import { randomUUID } from 'node:crypto';
import { closeSync, constants, ftruncateSync, mkdirSync, openSync, read, unlinkSync, write } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BATCH_BYTES } from '../../wire/batches.ts';
import type { DiskBudget } from './disk-budget.ts';

const writeAt = promisify(write);
const readAt = promisify(read);

/**
 * Batches on disk: a file of slots of BATCH_BYTES each, without a name, so that nothing is left of it however the process
 * ends.
 */
export class SpoolFile {
  readonly #descriptor: number;
  readonly #budget: DiskBudget;
  readonly #free: number[] = [];
  #used = 0;
  #underWay = 0;
  #closing = false;

  /**
   * @param directory an emptyDir's
   * @param budget what it may take
   * @throws the system's error when no file can be created there
   */
  constructor(directory: string, budget: DiskBudget) {
    mkdirSync(directory, { recursive: true });
    const path = join(directory, `session-${process.pid}-${randomUUID()}`);
    this.#descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
    unlinkSync(path);
    this.#budget = budget;
    budget.open();
  }

  /** A slot for one batch; undefined when the budget has none left. */
  take(): number | undefined {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (!this.#budget.take(BATCH_BYTES, this.#used * BATCH_BYTES)) return undefined;
    this.#used += 1;
    return this.#used - 1;
  }

  give(slot: number): void {
    if (this.#closing) return;
    this.#free.push(slot);
    if (this.#free.length < this.#used) return;
    // The disk is taken until the file is shorter.
    ftruncateSync(this.#descriptor);
    this.#budget.give(this.#used * BATCH_BYTES);
    this.#free.length = 0;
    this.#used = 0;
  }

  /** Rejects when the disk is full, or worse: then nothing of the slot counts. */
  write(slot: number, bytes: Uint8Array): Promise<void> {
    return this.#whole(bytes.length, async (done) => {
      const at = slot * BATCH_BYTES + done;
      return (await writeAt(this.#descriptor, bytes, done, bytes.length - done, at)).bytesWritten;
    });
  }

  read(slot: number, bytes: Uint8Array): Promise<void> {
    return this.#whole(bytes.length, async (done) => {
      const at = slot * BATCH_BYTES + done;
      return (await readAt(this.#descriptor, bytes, done, bytes.length - done, at)).bytesRead;
    });
  }

  /** Nothing of it is wanted any more. The descriptor is closed when nothing is under way: it could be another's by then. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#budget.close(this.#used * BATCH_BYTES);
    if (this.#underWay === 0) closeSync(this.#descriptor);
  }

  async #whole(length: number, part: (done: number) => Promise<number>): Promise<void> {
    this.#underWay += 1;
    try {
      for (let done = 0; done < length; ) {
        const count = await part(done);
        if (count === 0) throw new Error('the file of the spool is shorter than it was');
        done += count;
      }
    } finally {
      this.#underWay -= 1;
      if (this.#closing && this.#underWay === 0) closeSync(this.#descriptor);
    }
  }
}
