import { createHash } from 'node:crypto';
import { release, type } from 'node:os';
import { endMarker, type NamedAddress, nameResolution, sectionHeader, startMarker } from '../../wire/pcapng-write.ts';
import { NamesWhenSeen } from '../names-when-seen.ts';
import { Piece } from './piece.ts';

/** A file to merge. */
export interface MergedFile {
  readonly path: string;
  /** Where it was captured: interfaces of the same source and description are one. */
  readonly source: string;
  /** Time of its first packet or earlier, nanoseconds since 1970. */
  readonly first: bigint;
}

export interface MergeOutput {
  /** Takes bytes, copying them. */
  push(bytes: Uint8Array, offset: number, length: number): void;
  /** Resolves when more may be pushed; undefined: at once. */
  waiting(): Promise<void> | undefined;
}

/** Packets after which the output may be waited for. */
const BATCH = 256;

/**
 * Merge files of ksnoop's agents into one pcapng section, in the order of the packets' times. Files whose time has not come are not open.
 * @param names of addresses, each written before the first packet that has it
 * @returns how many packets were written
 * @throws KsnoopError CANNOT_READ, DAMAGED_PCAPNG, and the signal's reason
 */
export async function mergePieces(
  files: readonly MergedFile[],
  output: MergeOutput,
  signal: AbortSignal,
  names: readonly NamedAddress[] = [],
): Promise<number> {
  const base = files.find(({ first }) => first > 0n)?.first ?? 0n;
  const merge = new Merge(output, base, names);
  const later = files.map((file) => ({ file, first: Number(file.first - base) })).sort((a, b) => a.first - b.first);
  try {
    for (let count = 1; ; count += 1) {
      const next = merge.earliest();
      const [another] = later;
      if (another !== undefined && (next?.nextTime === undefined || another.first <= next.nextTime)) {
        later.shift();
        merge.open(another.file);
        continue;
      }
      if (next === undefined) break;
      merge.write(next);
      if (count % BATCH !== 0) continue;
      signal.throwIfAborted();
      await output.waiting();
    }
    merge.end();
  } finally {
    merge.close();
  }
  return merge.packets;
}

class Merge {
  packets = 0;
  readonly #output: MergeOutput;
  readonly #base: bigint;
  /** The open files, and which interface of the output each of their interfaces is. */
  readonly #open = new Map<Piece, number[]>();
  readonly #interfaces = new Map<string, number>();
  /** Link types of the interfaces of the output. */
  readonly #linkTypes: number[] = [];
  /** Digests of the name blocks of the files that were written. */
  readonly #names = new Set<string>();
  readonly #unseen = new NamesWhenSeen();
  #started = false;

  constructor(output: MergeOutput, base: bigint, names: readonly NamedAddress[]) {
    this.#output = output;
    this.#base = base;
    for (const named of names) this.#unseen.add(named);
    this.#whole(sectionHeader(`${type()} ${release()}`));
  }

  /** The open file whose next block is the earliest. */
  earliest(): Piece | undefined {
    let found: Piece | undefined;
    for (const piece of this.#open.keys()) {
      const time = piece.nextTime;
      if (time !== undefined && (found?.nextTime === undefined || time < found.nextTime)) found = piece;
    }
    return found;
  }

  open({ path, source }: MergedFile): void {
    const piece = new Piece(path, this.#base);
    this.#open.set(
      piece,
      piece.interfaces.map((described) => this.#interface(source, described)),
    );
    if (piece.nextTime === undefined) this.#finish(piece);
    for (const names of piece.names) {
      const digest = createHash('sha256').update(names).digest('base64');
      if (this.#names.has(digest)) continue;
      this.#names.add(digest);
      this.#whole(names);
    }
  }

  write(piece: Piece): void {
    const { interfaceId, isPacket, bytes } = piece.take();
    const own = this.#open.get(piece)?.[interfaceId] ?? 0;
    // Of the window that was read for this block: changed there, it is copied by push.
    new DataView(bytes.buffer, bytes.byteOffset, bytes.length).setUint32(8, own, true);
    const seen = isPacket ? this.#unseen.take(this.#linkTypes[own] ?? 0, bytes, 0) : [];
    if (seen.length > 0) this.#whole(nameResolution(seen));
    this.#whole(bytes);
    if (isPacket) this.packets += 1;
    if (piece.nextTime === undefined) this.#finish(piece);
  }

  #finish(piece: Piece): void {
    piece.close();
    this.#open.delete(piece);
  }

  /** The marker of an output that is whole. */
  end(): void {
    if (this.#started) this.#whole(endMarker({ version: 1, packets: this.packets }));
  }

  close(): void {
    for (const piece of this.#open.keys()) piece.close();
    this.#open.clear();
  }

  #interface(source: string, described: Buffer): number {
    const key = `${source} ${createHash('sha256').update(described).digest('base64')}`;
    const known = this.#interfaces.get(key);
    if (known !== undefined) return known;
    const id = this.#interfaces.size;
    this.#interfaces.set(key, id);
    this.#linkTypes.push(described.readUInt16LE(8));
    this.#whole(described);
    if (!this.#started) this.#whole(startMarker());
    this.#started = true;
    return id;
  }

  #whole(bytes: Uint8Array): void {
    this.#output.push(bytes, 0, bytes.length);
  }
}
