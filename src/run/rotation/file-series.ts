import { rmSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { fileExists } from '../sink/file-errors.ts';
import { createFile, replaceFile } from '../sink/new-file.ts';

/** Digits of a file's number: a listing of the directory is in the order of time. */
const DIGITS = 5;

/** The files of one capture, one after the other: `web.pcapng` becomes `web-00001.pcapng`, `web-00002.pcapng`, … */
export class FileSeries {
  /** Files begun so far. */
  begun = 0;
  readonly #path: string;
  readonly #force: boolean;
  readonly #kept: string[] = [];

  /** @param force whether an existing file is replaced */
  constructor(path: string, force: boolean) {
    this.#path = path;
    this.#force = force;
  }

  /** Those that are there now, oldest first. */
  get kept(): readonly string[] {
    return this.#kept;
  }

  /**
   * Begin the next file, for its owner alone.
   * @returns its descriptor
   * @throws KsnoopError FILE_EXISTS (exit 2), CANNOT_WRITE
   */
  next(): number {
    const path = this.#name(this.begun + 1);
    const fd = createFile(path) ?? (this.#force ? replaceFile(path) : undefined);
    if (fd === undefined) throw fileExists(path);
    this.begun += 1;
    this.#kept.push(path);
    return fd;
  }

  /** Take the oldest files away, so that `count` are left. */
  keep(count: number): void {
    while (this.#kept.length > count) rmSync(this.#kept.shift() as string, { force: true });
  }

  #name(number: number): string {
    const ending = extname(this.#path);
    const stem = basename(this.#path, ending);
    return join(dirname(this.#path), `${stem}-${String(number).padStart(DIGITS, '0')}${ending}`);
  }
}
