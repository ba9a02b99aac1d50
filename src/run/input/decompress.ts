import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';
import { joinedBytes } from '../../wire/bytes.ts';
import { messageOf } from '../../wire/errors.ts';
import type { OnChunk } from './input.ts';

/** Octets that tell a compression. */
export const MAGIC_BYTES = 4;

/** What is decompressed in one go; damaged data takes what was decompressed in the same go with it. */
const OUTPUT_BYTES = 64 * 1024;

type ZlibStream = Gunzip | ZstdDecompress;

/** Every compression captures come in: a new one is a line here. */
const COMPRESSIONS = [
  // RFC 1952, section 2.3.1.
  { name: 'gzip', magic: [0x1f, 0x8b], create: (): ZlibStream => createGunzip({ chunkSize: OUTPUT_BYTES }) },
  // RFC 8878, section 3.1.1.
  {
    name: 'zstd',
    magic: [0x28, 0xb5, 0x2f, 0xfd],
    create: (): ZlibStream => createZstdDecompress({ chunkSize: OUTPUT_BYTES }),
  },
] as const;

export type Compression = (typeof COMPRESSIONS)[number];

export function compressionOf(head: Uint8Array): Compression | undefined {
  return COMPRESSIONS.find(({ magic }) => magic.every((octet, index) => head[index] === octet));
}

/**
 * What is missing of the magic octets where the last octets may be the first of them. zstd says nothing of a frame that was
 * cut within these; once they are whole it does. Behind a frame that only happens to end so they are passed over.
 */
function restOfMagic(last: Uint8Array, magic: readonly number[]): readonly number[] {
  for (let known = Math.min(last.length, magic.length - 1); known > 0; known -= 1) {
    const from = last.length - known;
    if (last.subarray(from).every((octet, index) => octet === magic[index])) return magic.slice(known);
  }
  return [];
}

/** Decompresses octets as they come, and hands on what they were before slow receivers get more. */
export class Decompressor {
  readonly #stream: ZlibStream;
  readonly #done: Promise<void>;
  #receiver: Promise<void> | undefined;
  #damage: string | undefined;
  /** All that is the input's was handed on. */
  #over = false;
  readonly #compression: Compression;
  /** The last of them, as many as the magic octets. */
  #last: Uint8Array = new Uint8Array(0);
  /** Compressed octets that were handed over. */
  #pushed = 0;
  #thrown: { readonly error: unknown } | undefined;

  constructor(compression: Compression, onChunk: OnChunk) {
    this.#compression = compression;
    const stream = compression.create();
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

  /** Compressed octets that were decompressed: damage is not before. */
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
    if (state === undefined && stray > 0 && name === 'zstd') return `zstd: ${stray} octets that are none of a frame`;
    return state;
  }

  /** Nobody wants the rest: whoever waits for it goes on at once. */
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
