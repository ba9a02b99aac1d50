import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { walkBlocks } from '../../agent/recording/blocks.ts';
import { DIRECTION } from '../../analyze/layers/layer.ts';
import { decodePacket, PacketView } from '../../analyze/packet/packet.ts';
import { RecentMap } from '../../analyze/recent-map.ts';
import { messageOf } from '../../wire/errors.ts';
import { BLOCK, EPB_HEADER_BYTES } from '../../wire/pcapng.ts';
import type { RecordingPiece } from '../../wire/recording.ts';
import { keyOfPacket } from './flow-key.ts';
import { KeptPiece } from './kept-piece.ts';
import type { PacketIndex, Segment } from './packet-index.ts';
import { type TimeRange, TimeRanges } from './time-ranges.ts';
import type { Window } from './windows.ts';

export interface KeeperOptions {
  readonly directory: string;
  readonly index: PacketIndex;
  /** Blocks of the stream's interfaces so far. */
  readonly interfaces: readonly Buffer[];
  /** Bytes that kept pieces may have in all, how many of them there may be, and the number of the first. */
  readonly keptBytes: number;
  readonly keptPieces: number;
  readonly nextKept: number;
  readonly kept: (piece: RecordingPiece) => void;
  readonly problem: (message: string) => void;
}

/** When the analysis began, as two halves of nanoseconds since 1970. */
export interface Base {
  readonly high: number;
  readonly low: number;
}

/** Flows of which it is remembered until when they were kept. */
const FLOWS_REMEMBERED = 20_000;

/** Copies packets of windows from the ring's pieces into pieces that stay: each packet once. */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #times = new TimeRanges();
  /** Until when each flow was kept. */
  readonly #flows = new RecentMap<string, number>(FLOWS_REMEMBERED);
  readonly #view = new PacketView();
  #bytes = 0;
  #pieces = 0;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Keep the packets of windows. What is not in the ring any more, or has no room, is reported. */
  keep(windows: readonly Window[], base: Base): void {
    const { keptPieces, problem } = this.#options;
    if (windows.length === 0) return;
    if (this.#pieces >= keptPieces) {
      problem(`${keptPieces} pieces were kept, and no more are: packets around later exchanges are not.`);
      return;
    }
    try {
      this.#keep(windows, base);
    } catch (thrown) {
      problem(`Packets around an exchange were not kept: ${messageOf(thrown)}.`);
    }
  }

  #keep(windows: readonly Window[], base: Base): void {
    const { directory, index, interfaces, keptBytes, nextKept, kept, problem } = this.#options;
    const wanted = windows.flatMap((window) => this.#times.missing(window));
    const flows = new Map(windows.flatMap(({ flows: all }) => [...all]));
    const from = Math.min(...wanted.map((range) => range.from), ...flows.values());
    const to = Math.max(...windows.map((range) => range.to));
    if (wanted.some((range) => index.goneUntil >= range.from))
      problem('The ring was too small: some packets before an exchange were replaced already.');
    const piece = new KeptPiece(directory, nextKept + this.#pieces, interfaces);
    const copy = new Copy({
      wanted,
      flows,
      known: this.#flows,
      times: this.#times,
      base,
      view: this.#view,
      interfaces,
    });
    let isFull = false;
    try {
      for (const segment of index.between(from, to)) {
        if (isFull) break;
        const bytes = readSegment(directory, segment);
        walkBlocks(bytes, (type, at, length) => {
          if (type !== BLOCK.enhancedPacket || isFull || !copy.takes(bytes, at)) return;
          isFull = this.#bytes + piece.bytes + length > keptBytes;
          const [high, low] = [bytes.readUInt32LE(at + 12), bytes.readUInt32LE(at + 16)];
          if (!isFull) piece.packet(bytes.subarray(at, at + length), high, low);
        });
      }
      for (const range of wanted) this.#times.add(range);
      for (const key of flows.keys()) this.#remember(key, to);
      if (isFull) problem('The bytes for packets to be kept are used up: packets around some exchanges are not kept.');
      if (piece.packets === 0) {
        piece.discard();
        if (wanted.length > 0 && !isFull) problem('Packets around an exchange were not found in the ring.');
        return;
      }
      const finished = piece.finish();
      this.#bytes += finished.bytes;
      this.#pieces += 1;
      kept(finished);
    } catch (thrown) {
      piece.discard();
      throw thrown;
    }
  }

  #remember(flow: string, until: number): void {
    this.#flows.delete(flow);
    this.#flows.set(flow, until);
  }
}

interface CopyOptions {
  readonly wanted: readonly TimeRange[];
  /** First packets of flows that are kept from their beginning. */
  readonly flows: ReadonlyMap<string, number>;
  /** Until when flows were kept before, and which times. */
  readonly known: Pick<RecentMap<string, number>, 'get'>;
  readonly times: TimeRanges;
  readonly base: Base;
  readonly view: PacketView;
  readonly interfaces: readonly Buffer[];
}

/** Which packets are copied. */
class Copy {
  readonly #options: CopyOptions;
  readonly #firstFlow: number;

  constructor(options: CopyOptions) {
    this.#options = options;
    this.#firstFlow = Math.min(...options.flows.values());
  }

  /** @param at where the packet's block starts */
  takes(bytes: Buffer, at: number): boolean {
    const { wanted, flows, known, times, base } = this.#options;
    const [high, low] = [bytes.readUInt32LE(at + 12), bytes.readUInt32LE(at + 16)];
    const time = (high - base.high) * 0x1_0000_0000 + (low - base.low);
    if (wanted.some(({ from, to }) => time >= from && time <= to)) return true;
    const last = wanted.at(-1);
    if (time < this.#firstFlow || (last !== undefined && time > last.to) || times.has(time)) return false;
    const key = this.#keyOf(bytes, at, high, low);
    const first = key === undefined ? undefined : flows.get(key);
    return key !== undefined && first !== undefined && time >= first && time > (known.get(key) ?? -1);
  }

  #keyOf(bytes: Buffer, at: number, high: number, low: number): string | undefined {
    const { view, interfaces } = this.#options;
    const id = bytes.readUInt32LE(at + 8);
    const linkType = interfaces[id]?.readUInt16LE(8) ?? 0;
    const [caplen, origlen] = [bytes.readUInt32LE(at + 20), bytes.readUInt32LE(at + 24)];
    view.set(bytes, at + EPB_HEADER_BYTES, caplen, origlen, high, low, id, linkType, DIRECTION.unknown);
    decodePacket(view);
    return keyOfPacket(view);
  }
}

function readSegment(directory: string, { piece, from, to }: Segment): Buffer {
  return readBytes(join(directory, piece), from, to);
}

/** Bytes of a file. @throws the system's error; Error where they are not there */
export function readBytes(path: string, from: number, to: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.allocUnsafeSlow(to - from);
    for (let done = 0; done < bytes.length; ) {
      const read = readSync(file, bytes, done, bytes.length - done, from + done);
      if (read === 0) throw new Error(`${path} is shorter than it was`);
      done += read;
    }
    return bytes;
  } finally {
    closeSync(file);
  }
}
