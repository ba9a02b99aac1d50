import { createHash } from 'node:crypto';
import {
  createReadStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { BLOCK } from '../../wire/pcapng.ts';
import { endMarker } from '../../wire/pcapng-write.ts';
import { PIECE_NAME, type RecordingPiece } from '../../wire/recording.ts';
import { UID } from '../../wire/ticket-members.ts';
import { RECORDING_STATE_BYTES } from '../limits.ts';
import { PacketSpan, walkBlocks } from './blocks.ts';

const STATE = 'state.json';

/** Bytes read of a piece at once. */
const READ_BYTES = 1024 * 1024;

/** The name of a piece of the stream, counted from 1, or of one that a trigger kept. */
export function pieceName(number: number, kept = false): string {
  return `${kept ? 'kept-' : ''}${String(number).padStart(5, '0')}.pcapng`;
}

/** The directory of one recording: its pieces and its state. */
export class RecordingFiles {
  readonly directory: string;

  /** @param root of all recordings @param capture UID of the Capture */
  constructor(root: string, capture: string) {
    this.directory = join(root, capture);
  }

  /** UIDs of the recordings below a directory. */
  static list(root: string): string[] {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    return readdirSync(root).filter((name) => UID.test(name));
  }

  create(): void {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Replace the state as a whole, whenever the process ends. */
  writeState(state: object): void {
    const path = this.path(STATE);
    writeFileSync(`${path}.new`, JSON.stringify(state), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  /** @throws the system's error when there is none */
  readState(): string {
    if (statSync(this.path(STATE)).size > RECORDING_STATE_BYTES) throw new Error('its state is too large');
    return readFileSync(this.path(STATE), 'utf8');
  }

  /** Bytes of a piece; undefined when there is no such file. */
  size(name: string): number | undefined {
    return statSync(this.path(name), { throwIfNoEntry: false })?.size;
  }

  /** Names of the pieces on the disk, in the order in which they were begun; those that a trigger kept are the last. */
  pieces(): string[] {
    const order = (a: string, b: string) => a.length - b.length || (a < b ? -1 : 1);
    return readdirSync(this.directory)
      .filter((name) => PIECE_NAME.test(name))
      .sort(order);
  }

  remove(name: string): void {
    rmSync(this.path(name), { force: true });
  }

  /** Remove the recording. The state goes first: what cannot be removed is never gone on with. @throws the disk's error */
  removeAll(): void {
    this.remove(STATE);
    rmSync(this.directory, { recursive: true, force: true });
  }

  /**
   * Finish a piece that a process has left behind: a block that was cut is removed, and the end is marked where the disk takes it.
   * @returns undefined where no packet is in it; then it is removed
   */
  async recover(name: string): Promise<RecordingPiece | undefined> {
    const path = this.path(name);
    const span = new PacketSpan();
    let whole = 0;
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) {
      const bytes = Buffer.concat([rest, chunk]);
      const taken = walkBlocks(bytes, (type, at) => {
        if (type === BLOCK.enhancedPacket) span.add(bytes.readUInt32LE(at + 12), bytes.readUInt32LE(at + 16));
      });
      whole += taken;
      rest = bytes.subarray(taken);
      // Longer than any block that was written: what follows is damaged.
      if (rest.length > 4 * READ_BYTES) break;
    }
    if (span.packets === 0) {
      this.remove(name);
      return undefined;
    }
    await truncate(path, whole);
    try {
      writeFileSync(path, endMarker({ version: 1, reason: 'interrupted', interfaces: [] }), { flag: 'a' });
    } catch {
      // The disk is full, as it may have been before: the packets stay, and nothing of the mark.
      await truncate(path, whole);
    }
    return { ...(await this.#described(name)), ...spanOf(span), kept: name.startsWith('kept-') };
  }

  async #described(name: string) {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of createReadStream(this.path(name), { highWaterMark: READ_BYTES })) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    return { name, bytes, sha256: hash.digest('hex') };
  }
}

/** The members of a piece that tell of its packets. */
export function spanOf({ packets, first, last }: PacketSpan) {
  return { packets, first: first?.toString() ?? null, last: last?.toString() ?? null };
}
