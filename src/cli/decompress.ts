import type { Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { messageOf } from '../wire/errors.ts';
import type { OnChunk } from './input.ts';

/** Octets that tell a compression. */
export const MAGIC_BYTES = 4;

const OUTPUT_BYTES = 256 * 1024;

/** Every compression captures come in: a new one is a line here. */
const COMPRESSIONS = [
  // RFC 1952, section 2.3.1.
  { name: 'gzip', magic: [0x1f, 0x8b], create: (): Transform => createGunzip({ chunkSize: OUTPUT_BYTES }) },
  // RFC 8878, section 3.1.1.
  {
    name: 'zstd',
    magic: [0x28, 0xb5, 0x2f, 0xfd],
    create: (): Transform => createZstdDecompress({ chunkSize: OUTPUT_BYTES }),
  },
] as const;

export type Compression = (typeof COMPRESSIONS)[number];

export function compressionOf(head: Uint8Array): Compression | undefined {
  return COMPRESSIONS.find(({ magic }) => magic.every((octet, index) => head[index] === octet));
}

/** Decompresses octets as they come, and hands on what they were before slow receivers get more. */
export class Decompressor {
  readonly #stream: Transform;
  readonly #done: Promise<void>;
  #damage: string | undefined;
  #thrown: { readonly error: unknown } | undefined;

  constructor(compression: Compression, onChunk: OnChunk) {
    this.#stream = compression.create();
    this.#done = this.#deliver(compression.name, onChunk);
  }

  /** @returns what is wrong with the data; undefined while nothing is. Throws what the receiver threw. */
  async push(bytes: Uint8Array): Promise<string | undefined> {
    if (!this.#stream.destroyed) {
      await Promise.race([new Promise<void>((taken) => this.#stream.write(bytes, () => taken())), this.#done]);
    }
    return this.#state();
  }

  /** No more comes. */
  async end(): Promise<string | undefined> {
    this.#stream.end();
    await this.#done;
    return this.#state();
  }

  abandon(): void {
    this.#stream.destroy();
  }

  #state(): string | undefined {
    if (this.#thrown !== undefined) throw this.#thrown.error;
    return this.#damage;
  }

  async #deliver(name: string, onChunk: OnChunk): Promise<void> {
    try {
      for await (const chunk of this.#stream) {
        try {
          const wait = onChunk(chunk as Uint8Array);
          if (wait !== undefined) await wait;
        } catch (error) {
          this.#thrown = { error };
          return;
        }
      }
    } catch (error) {
      this.#damage = `${name}: ${messageOf(error)}`;
    }
  }
}
