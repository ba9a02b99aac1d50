import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';
import { joinedBytes } from '../../wire/bytes.ts';
import { messageOf } from '../../wire/errors.ts';
import { type FileCompression, MAGIC_BYTES } from './compressions.ts';
import type { OnChunk } from './input.ts';
import { ProgramDecompressor } from './program-decompressor.ts';

/** What is decompressed in one go; damaged data takes what was decompressed in the same go with it. */
const OUTPUT_BYTES = 64 * 1024;

type ZlibStream = Gunzip | ZstdDecompress;

/** A compression that Node reads. */
type NodeCompression = Extract<FileCompression, { readonly by: 'node' }>;

/** Takes compressed bytes, in order. */
export interface Decompress {
  /** Compressed bytes that were decompressed: damage is not before. */
  readonly taken: number;
  /** @returns what is wrong with the data; undefined while nothing is. Throws what the receiver threw. */
  push(bytes: Uint8Array): Promise<string | undefined>;
  /** No more comes. */
  end(): Promise<string | undefined>;
  /** The rest is no longer needed: a waiting reader continues at once. */
  abandon(): void;
}

/** @param onChunk takes decompressed bytes, valid during the call */
export function decompressor(compression: FileCompression, onChunk: OnChunk): Decompress {
  if (compression.by === 'node') return new Decompressor(compression, onChunk);
  return new ProgramDecompressor(compression.name, onChunk);
}

function streamOf({ name }: NodeCompression): ZlibStream {
  return name === 'gzip'
    ? createGunzip({ chunkSize: OUTPUT_BYTES })
    : createZstdDecompress({ chunkSize: OUTPUT_BYTES });
}

/**
 * What is missing of the magic bytes where the last bytes may be the first of them. zstd reports nothing about a frame that was
 * cut within these; once they are whole it does. Behind a frame that only happens to end so they are passed over.
 */
function restOfMagic(last: Uint8Array, magic: readonly number[]): readonly number[] {
  for (let known = Math.min(last.length, magic.length - 1); known > 0; known -= 1) {
    const from = last.length - known;
    if (last.subarray(from).every((byte, index) => byte === magic[index])) return magic.slice(known);
  }
  return [];
}

/** Decompresses bytes as they come, and hands on what they were before slow receivers get more. */
class Decompressor implements Decompress {
  readonly #stream: ZlibStream;
  readonly #done: Promise<void>;
  #receiver: Promise<void> | undefined;
  #damage: string | undefined;
  /** All that is the input's was handed on. */
  #over = false;
  readonly #compression: NodeCompression;
  /** The last of them, as many as the magic bytes. */
  #last: Uint8Array = new Uint8Array(0);
  /** Compressed bytes that were handed over. */
  #pushed = 0;
  #thrown: { readonly error: unknown } | undefined;

  constructor(compression: NodeCompression, onChunk: OnChunk) {
    this.#compression = compression;
    const stream = streamOf(compression);
    this.#stream = stream;
    this.#done = new Promise((resolve) => stream.once('close', resolve));
    const fail = (error: unknown) => {
      this.#thrown = { error };
      stream.destroy();
    };
    // By events, not by iteration: what is decompressed is handed on at once, so damage that follows cannot take it back.
    stream.on('data', (chunk: Uint8Array) => {
      if (this.#over) return;
      try {
        const wait = onChunk(chunk);
        if (wait === undefined) return;
        stream.pause();
        this.#receiver = wait.then(() => void stream.resume(), fail);
      } catch (error) {
        fail(error);
      }
    });
    stream.on('error', (error) => {
      this.#damage = `${compression.name}: ${messageOf(error)}`;
    });
  }

  /** Compressed bytes that were decompressed: damage is not before. */
  get taken(): number {
    return this.#stream.bytesWritten;
  }

  /** @returns what is wrong with the data; undefined while nothing is. Throws what the receiver threw. */
  async push(bytes: Uint8Array): Promise<string | undefined> {
    this.#pushed += bytes.length;
    this.#last = joinedBytes([this.#last, bytes.subarray(-MAGIC_BYTES)]).slice(-MAGIC_BYTES);
    if (!this.#stream.destroyed) {
      await Promise.race([new Promise<void>((taken) => this.#stream.write(bytes, () => taken())), this.#done]);
    }
    return this.#state();
  }

  /** No more comes. */
  async end(): Promise<string | undefined> {
    const { name, magic } = this.#compression;
    const rest = name === 'zstd' ? restOfMagic(this.#last, magic) : [];
    if (rest.length > 0) {
      while (!this.#stream.destroyed && this.#stream.readableLength > 0) {
        await this.#receiver;
        await new Promise((resolve) => setImmediate(resolve));
      }
      // In the middle of a frame they would pass for its data.
      this.#over = true;
      if (!this.#stream.destroyed) this.#stream.write(Uint8Array.from(rest));
    }
    this.#stream.end();
    await this.#done;
    const state = await this.#state();
    // zstd passes over what follows the last frame; gzip does that with zeros alone, which are padding.
    const stray = this.#pushed - this.taken;
    if (state === undefined && stray > 0 && name === 'zstd') return `zstd: ${stray} bytes after the last frame`;
    return state;
  }

  /** The rest is no longer needed: a waiting reader continues at once. */
  abandon(): void {
    this.#stream.destroy();
  }

  async #state(): Promise<string | undefined> {
    if (this.#stream.destroyed) await this.#done;
    // What came before the damage is still being looked at.
    if (this.#damage !== undefined) await this.#receiver;
    if (this.#thrown !== undefined) throw this.#thrown.error;
    return this.#damage;
  }
}
