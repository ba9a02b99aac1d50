import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { endMarker, sectionHeader, startMarker, withComment } from '../../wire/pcapng-write.ts';
import type { RecordingPiece } from '../../wire/recording.ts';
import { GATHER_MS, GATHERED_BYTES } from '../limits.ts';
import { PacketSpan, readChunk } from './blocks.ts';
import type { DiskSpace } from './disk-space.ts';
import { pieceName, type RecordingFiles, spanOf } from './recording-files.ts';

export interface PieceStreamOptions {
  readonly files: RecordingFiles;
  /** The number of its first piece. */
  readonly first: number;
  /** Bytes of a piece at most; a chunk that is larger is a piece by itself. */
  readonly fileBytes: number;
  /** Bytes that may be written in all: what comes when they are is discarded. */
  readonly maxBytes: number;
  /** What the first section says about what is missing before it. */
  readonly gap?: string | undefined;
  readonly disk: Pick<DiskSpace, 'shortage' | 'wrote'>;
  readonly handlers: PieceHandlers;
}

export interface PieceHandlers {
  /** A piece is whole. @param isLast no other follows */
  finished(piece: RecordingPiece, isLast: boolean): void;
  /** Bytes from `from` to `to` of a piece are written, and are the next blocks of the stream. */
  grew(piece: string, from: number, to: number): void;
  /** maxBytes are written. */
  full(): void;
  /** The disk has to keep what is free; nothing is written from now on. @param why a sentence */
  short(why: string): void;
  /** The disk does not take it; nothing is written from now on. */
  failed(thrown: unknown): void;
}

interface OpenPiece {
  readonly name: string;
  readonly file: FileHandle;
  readonly hash: Hash;
  readonly span: PacketSpan;
  bytes: number;
}

/**
 * Blocks of a capture on their way into files, each of which can be read by itself: it begins with a section and all interfaces so
 * far, whose numbers are the same in each. A write is of whole blocks, as the spool makes them.
 */
export class PieceStream {
  readonly writable: Writable;
  /** Packets and bytes written so far. */
  packets = 0;
  bytes = 0;
  readonly #options: PieceStreamOptions;
  readonly #interfaces: Buffer[] = [];
  #next: number;
  #piece: OpenPiece | undefined;
  #isFull = false;
  #failed = false;
  /** The next piece is the first one that a reader gets. */
  #isReaderNew = true;
  #rotates = false;

  constructor(options: PieceStreamOptions) {
    this.#options = options;
    this.#next = options.first;
    this.writable = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.#write(chunk).then(
          () => done(),
          (thrown) => void this.#fail(thrown, done),
        );
      },
    });
  }

  /** The number of the next piece. */
  get next(): number {
    return this.#next;
  }

  /** Another reader takes what `grew` reports: it begins with the next piece, which the next write begins. */
  restartReader(): void {
    this.#isReaderNew = true;
    this.#rotates = true;
  }

  /** Bytes of the piece that is being written. */
  get unfinished(): number {
    return this.#piece?.bytes ?? 0;
  }

  /** No more comes: the last piece is whole. */
  async end(reason: string): Promise<void> {
    if (this.#failed) return;
    try {
      await this.#finish(reason, true);
    } catch (thrown) {
      this.#failed = true;
      await this.#salvage();
      throw thrown;
    }
  }

  /** No more is written, and the last piece stays as it is. */
  async abandon(): Promise<void> {
    this.#failed = true;
    const piece = this.#piece;
    this.#piece = undefined;
    await piece?.file.close().catch(() => {});
  }

  async #write(chunk: Buffer): Promise<void> {
    if (this.#isFull || this.#failed) return;
    const { fileBytes, maxBytes, handlers } = this.#options;
    if (this.bytes + chunk.length > maxBytes) {
      this.#isFull = true;
      handlers.full();
      return;
    }
    const shortage = this.#options.disk.shortage(chunk.length);
    if (shortage !== undefined) {
      this.#isFull = true;
      handlers.short(shortage);
      return;
    }
    const isLarge = this.unfinished + chunk.length > fileBytes;
    if (isLarge || this.#rotates) await this.#finish('rotated', false);
    this.#rotates = false;
    const piece = this.#piece ?? (await this.#begin());
    const from = piece.bytes;
    const before = piece.span.packets;
    await this.#append(piece, chunk);
    readChunk(chunk, piece.span, this.#interfaces);
    this.packets += piece.span.packets - before;
    handlers.grew(piece.name, from, piece.bytes);
    // The spool writes once at a time: what comes meanwhile is gathered.
    if (chunk.length < GATHERED_BYTES) await sleep(GATHER_MS);
  }

  async #begin(): Promise<OpenPiece> {
    const { files, first, gap } = this.#options;
    const name = pieceName(this.#next);
    const isFirst = this.#next === first;
    this.#next += 1;
    const file = await open(files.path(name), constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
    const piece = { name, file, hash: createHash('sha256'), span: new PacketSpan(), bytes: 0 };
    this.#piece = piece;
    const section = sectionHeader('Linux');
    const stated = isFirst && gap !== undefined ? withComment(section, gap) : section;
    await this.#append(piece, Buffer.concat([stated, startMarker(), ...this.#interfaces]));
    if (this.#isReaderNew) this.#options.handlers.grew(name, 0, piece.bytes);
    this.#isReaderNew = false;
    return piece;
  }

  async #append(piece: OpenPiece, bytes: Buffer): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      done += (await piece.file.write(bytes, done, bytes.length - done)).bytesWritten;
    }
    piece.hash.update(bytes);
    piece.bytes += bytes.length;
    this.bytes += bytes.length;
    this.#options.disk.wrote(bytes.length);
  }

  async #finish(reason: string, isLast: boolean): Promise<void> {
    const piece = this.#piece;
    if (piece === undefined) return;
    await this.#append(piece, Buffer.from(endMarker({ version: 1, reason, interfaces: [] })));
    this.#piece = undefined;
    await this.#close(piece, isLast);
  }

  async #close(piece: OpenPiece, isLast: boolean): Promise<void> {
    await piece.file.close();
    const { name, bytes, hash, span } = piece;
    const finished = { name, bytes, sha256: hash.digest('hex'), ...spanOf(span), kept: false };
    this.#options.handlers.finished(finished, isLast);
  }

  async #fail(thrown: unknown, done: (error: Error) => void): Promise<void> {
    this.#failed = true;
    await this.#salvage();
    this.#options.handlers.failed(thrown);
    done(thrown instanceof Error ? thrown : new Error(String(thrown)));
  }

  /** The whole blocks that the disk has taken stay, without a mark of the end. */
  async #salvage(): Promise<void> {
    const piece = this.#piece;
    this.#piece = undefined;
    try {
      await piece?.file.truncate(piece.bytes);
      if (piece !== undefined && piece.span.packets > 0) await this.#close(piece, true);
      else await piece?.file.close();
    } catch {
      // It is read again by the next process, as far as it can be.
    }
  }
}
