import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { systemCode } from '../../wire/errors.ts';
import { cannotWrite } from '../sink/file-errors.ts';
import { createFile } from '../sink/new-file.ts';
import type { Column } from './columns.ts';

/** What made the file, in its metadata. */
const CREATED_BY = 'ksnoop';

/**
 * One Parquet file: row groups of the same columns, compressed with zstd. It is written under a name that readers of `*.parquet`
 * do not see, and gets its own when it is complete.
 */
export class Part {
  readonly #temporary: string;
  readonly #path: string;
  readonly #fd: number;
  readonly #bytes = new ByteWriter(1 << 16);
  readonly #writer: ParquetWriter;

  /**
   * @param directory is made where it does not exist
   * @param own the file's name, without its ending, in place of one that no other file has: a file of this name is replaced
   * @throws KsnoopError CANNOT_WRITE
   */
  constructor(directory: string, columns: readonly Column[], own?: string) {
    const unique = randomBytes(8).toString('hex');
    const name = own ?? `ksnoop-${unique}`;
    this.#temporary = join(directory, `.ksnoop-${unique}.part`);
    this.#path = join(directory, `${name}.parquet`);
    makeDirectory(directory);
    const fd = createFile(this.#temporary);
    if (fd === undefined) throw cannotWrite(this.#temporary, new Error('it exists'));
    this.#fd = fd;
    this.#writer = new ParquetWriter({
      writer: this.#bytes,
      schema: [{ name: 'ksnoop', num_children: columns.length }, ...columns.map(({ schema }) => schema)],
      codec: 'ZSTD',
      compressors: { ZSTD: (input) => zstdCompressSync(input) },
      createdBy: CREATED_BY,
    });
  }

  /** Write a row group of what the columns have. @throws KsnoopError CANNOT_WRITE */
  group(columns: readonly Column[], rows: number): void {
    this.#writer.write({ columnData: columns.map((column) => column.take(rows)), rowGroupSize: rows });
    this.#flush();
  }

  /** The file is complete. @throws KsnoopError CANNOT_WRITE */
  end(): void {
    this.#writer.finish();
    this.#flush();
    // On the disk before it has its name: a node may be lost.
    fsyncSync(this.#fd);
    closeSync(this.#fd);
    try {
      renameSync(this.#temporary, this.#path);
    } catch (cause) {
      throw cannotWrite(this.#path, cause);
    }
  }

  #flush(): void {
    const bytes = this.#bytes.getBytes();
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#fd, bytes, written);
    } catch (cause) {
      throw cannotWrite(this.#path, cause);
    }
    this.#bytes.index = 0;
  }
}

/**
 * Make a directory and those above it. mkdirSync's own recursion never ends where a file system answers ENOENT below a
 * directory that exists, as /proc does.
 * @throws KsnoopError CANNOT_WRITE
 */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
    return;
  } catch (cause) {
    const code = systemCode(cause);
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw cannotWrite(path, cause);
  }
  makeDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (cause) {
    if (systemCode(cause) !== 'EEXIST') throw cannotWrite(path, cause);
  }
}
