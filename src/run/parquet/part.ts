import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ByteWriter } from 'hyparquet-writer';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { systemCode } from '../../wire/errors.ts';
import { cannotWrite } from '../sink/file-errors.ts';
import { createFile } from '../sink/new-file.ts';
import { type FileMetaData, writeColumnChunk } from './column-chunk.ts';
import type { Column } from './columns.ts';

/** What made the file, in its metadata. */
const CREATED_BY = 'ksnoop';

/** `PAR1`: a file begins and ends with it. */
const MAGIC = 0x31524150;

/**
 * One Parquet file: row groups of the same columns, compressed with zstd. It is written under a name that readers of `*.parquet`
 * do not see, and gets its own when it is complete.
 */
export class Part {
  readonly #temporary: string;
  readonly #path: string;
  readonly #fd: number;
  readonly #bytes = new ByteWriter(1 << 16);
  readonly #schema: FileMetaData['schema'];
  readonly #groups: FileMetaData['row_groups'] = [];
  #rows = 0;

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
    this.#schema = [{ name: 'ksnoop', num_children: columns.length }, ...columns.map(({ schema }) => schema)];
    this.#bytes.appendUint32(MAGIC);
  }

  /** Write a row group of what the columns have. @throws KsnoopError CANNOT_WRITE */
  group(columns: readonly Column[], rows: number): void {
    const start = this.#bytes.offset;
    const chunks = columns.map((column) => writeColumnChunk(this.#bytes, column.schema, column.encode(rows)));
    let uncompressed = 0n;
    for (const { meta_data } of chunks) uncompressed += meta_data?.total_uncompressed_size ?? 0n;
    this.#groups.push({
      columns: chunks,
      total_byte_size: uncompressed,
      num_rows: BigInt(rows),
      total_compressed_size: BigInt(this.#bytes.offset - start),
    });
    this.#rows += rows;
    this.#flush();
  }

  /** The file is complete. @throws KsnoopError CANNOT_WRITE */
  end(): void {
    writeMetadata(this.#bytes, {
      version: 2,
      created_by: CREATED_BY,
      schema: this.#schema,
      num_rows: BigInt(this.#rows),
      row_groups: this.#groups,
      // Is not written: the writer counts it.
      metadata_length: 0,
    });
    this.#bytes.appendUint32(MAGIC);
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
