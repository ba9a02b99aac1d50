import { createHash } from 'node:crypto';
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { PacketSpan } from '../../agent/recording/blocks.ts';
import { pieceName, spanOf } from '../../agent/recording/recording-files.ts';
import { BATCH_BYTES } from '../../wire/batches.ts';
import { endMarker, sectionHeader, startMarker } from '../../wire/pcapng-write.ts';
import type { RecordingPiece } from '../../wire/recording.ts';

/** A piece with packets that a trigger keeps. It has its name when it is whole. */
export class KeptPiece {
  bytes = 0;
  readonly #directory: string;
  readonly #name: string;
  readonly #file: number;
  readonly #hash = createHash('sha256');
  readonly #span = new PacketSpan();
  #batch: Buffer[] = [];
  #waiting = 0;

  /** @param interfaces the blocks of all interfaces so far @throws the system's error when the disk takes no more */
  constructor(directory: string, number: number, interfaces: readonly Buffer[]) {
    this.#directory = directory;
    this.#name = pieceName(number, true);
    this.#file = openSync(`${join(directory, this.#name)}.new`, 'w', 0o600);
    for (const block of [sectionHeader('Linux'), startMarker(), ...interfaces]) this.#push(Buffer.from(block));
  }

  get packets(): number {
    return this.#span.packets;
  }

  /** Add a packet's block, whose bytes may be used again. @param high upper, and `low` lower half of its time */
  packet(block: Buffer, high: number, low: number): void {
    this.#span.add(high, low);
    this.#push(Buffer.from(block));
  }

  /** @throws the system's error */
  finish(): RecordingPiece {
    this.#push(Buffer.from(endMarker({ version: 1, reason: 'trigger', interfaces: [] })));
    this.#flush();
    closeSync(this.#file);
    const path = join(this.#directory, this.#name);
    renameSync(`${path}.new`, path);
    return { name: this.#name, bytes: this.bytes, sha256: this.#hash.digest('hex'), ...spanOf(this.#span), kept: true };
  }

  /** Leave nothing of it. */
  discard(): void {
    closeSync(this.#file);
    rmSync(`${join(this.#directory, this.#name)}.new`, { force: true });
  }

  #push(block: Buffer): void {
    this.#batch.push(block);
    this.#waiting += block.length;
    this.bytes += block.length;
    if (this.#waiting >= BATCH_BYTES) this.#flush();
  }

  #flush(): void {
    const bytes = Buffer.concat(this.#batch);
    this.#batch = [];
    this.#waiting = 0;
    this.#hash.update(bytes);
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done);
  }
}
