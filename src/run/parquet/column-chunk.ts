import { constants, zstdCompressSync } from 'node:zlib';
import { ByteWriter, type SchemaElement } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js';
import type { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import type { EncodedColumn } from './columns.ts';
import type { Indexes } from './values.ts';

/** What the end of a file says of its rows. */
export type FileMetaData = Parameters<typeof writeMetadata>[1];
export type ColumnChunk = FileMetaData['row_groups'][number]['columns'][number];

/** Less than this is not compressed. */
const WORTH_COMPRESSING = 100;

/** A fast level: tables of DNS exchanges are 6 % larger than with level 3, the default. */
const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Whether there is a value: definition levels are 0 or 1. */
const LEVEL_BITS = 1;

/**
 * Write a column of a row group: a page with its dictionary, where it has one, and one with its values. hyparquet-writer's own
 * `ParquetWriter` takes a JavaScript value for each row and column; these would fill the memory with objects.
 * @see https://parquet.apache.org/docs/file-format/data-pages/
 * @returns its description for the end of the file
 */
export function writeColumnChunk(writer: ByteWriter, element: SchemaElement, column: EncodedColumn): ColumnChunk {
  const { type = 'BYTE_ARRAY', name } = element;
  const { dictionary, rows, nulls, bounds } = column;
  const start = writer.offset;
  const values = column.values instanceof Uint8Array ? column.values : packed(column.values);
  const isCompressed = values.length + (dictionary?.bytes.length ?? 0) >= WORTH_COMPRESSING;
  const compress = (bytes: Uint8Array) => (isCompressed ? zstdCompressSync(bytes, ZSTD) : bytes);
  let uncompressed = 0;

  if (dictionary !== undefined) {
    const compressed = compress(dictionary.bytes);
    const header = writer.offset;
    writePageHeader(writer, {
      type: 'DICTIONARY_PAGE',
      uncompressed_page_size: dictionary.bytes.length,
      compressed_page_size: compressed.length,
      dictionary_page_header: { num_values: dictionary.entries, encoding: 'PLAIN' },
    });
    uncompressed += writer.offset - header + dictionary.bytes.length;
    writer.appendBytes(compressed);
  }

  const page = writer.offset;
  const encoding = dictionary === undefined ? 'PLAIN' : 'RLE_DICTIONARY';
  const levels = levelsOf(column);
  const compressed = compress(values);
  writePageHeader(writer, {
    type: 'DATA_PAGE_V2',
    uncompressed_page_size: levels.length + values.length,
    compressed_page_size: levels.length + compressed.length,
    data_page_header_v2: {
      num_values: rows,
      num_nulls: nulls,
      num_rows: rows,
      encoding,
      definition_levels_byte_length: levels.length,
      repetition_levels_byte_length: 0,
      is_compressed: isCompressed,
    },
  });
  uncompressed += writer.offset - page + levels.length + values.length;
  writer.appendBytes(levels);
  writer.appendBytes(compressed);

  return {
    meta_data: {
      type,
      encodings: dictionary === undefined ? ['PLAIN'] : ['PLAIN', 'RLE_DICTIONARY'],
      path_in_schema: [name],
      codec: isCompressed ? 'ZSTD' : 'UNCOMPRESSED',
      num_values: BigInt(rows),
      total_compressed_size: BigInt(writer.offset - start),
      total_uncompressed_size: BigInt(uncompressed),
      data_page_offset: BigInt(page),
      ...(dictionary === undefined ? {} : { dictionary_page_offset: BigInt(start) }),
      statistics: { ...bounds, null_count: BigInt(nulls) },
    },
    file_offset: BigInt(start),
  };
}

/** Definition levels: mostly all rows of a row group have a value, or none has. */
function levelsOf({ levels, rows, nulls }: EncodedColumn): Uint8Array {
  const writer = new ByteWriter(16);
  if (nulls > 0 && nulls < rows) {
    writeRleBitPackedHybrid(writer, levels, LEVEL_BITS);
  } else {
    // One run.
    writer.appendVarInt(rows * 2);
    writer.appendUint8(nulls === 0 ? 1 : 0);
  }
  return writer.getBytes();
}

/** Indexes into a dictionary: the number of bits of each, then runs of equal ones and groups of eight. */
function packed({ indexes, bitWidth }: Indexes): Uint8Array {
  const writer = new ByteWriter(16 + Math.ceil((indexes.length * bitWidth) / 8));
  writer.appendUint8(bitWidth);
  writeRleBitPackedHybrid(writer, indexes, bitWidth);
  return writer.getBytes();
}
