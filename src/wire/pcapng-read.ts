import { KsnoopError } from './errors.ts';
import { BLOCK_MAXIMUM } from './limits.ts';
import { BLOCK, BYTE_ORDER_MAGIC, OPTION, padded } from './pcapng.ts';

/**
 * One block as it lies in a buffer; reused, valid during the call only. `offset` is where its type field starts,
 * `length` its total length with both length fields (draft-ietf-opsawg-pcapng, section 3.1).
 */
export interface BlockView {
  bytes: Uint8Array;
  view: DataView;
  offset: number;
  length: number;
  type: number;
  littleEndian: boolean;
}

/** A view of no block yet. */
export function emptyBlock(): BlockView {
  const bytes = new Uint8Array(0);
  return { bytes, view: new DataView(bytes.buffer), offset: 0, length: 0, type: 0, littleEndian: true };
}

const SHORTEST_BLOCK = 12;
/** The bytes of a block from which its length is known: of a section header, with its byte-order magic. */
const HEAD_BYTES = 12;
/** A block's claim to be as long is believed: room for a packet of 64 KiB. */
const ROOM_BYTES = 128 * 1024;
const SHORTEST_SECTION_HEADER = 28;

/**
 * Frames pcapng blocks out of bytes cut anywhere. A block that lies whole in a chunk is handed on in place; one that
 * spans chunks is gathered in a separate buffer, so that a block can be kept, with its buffer, without a copy.
 */
export class BlockFramer {
  /** Bytes of whole blocks handed on so far: where in the stream reading stands. */
  consumed = 0;
  readonly #onBlock: (block: BlockView) => void;
  readonly #block: BlockView;
  #littleEndian = true;
  /** The block that spans chunks: its first bytes until its length is known, then all of it. */
  #spanning: Uint8Array = new Uint8Array(HEAD_BYTES);
  #view = new DataView(this.#spanning.buffer);
  #gathered = 0;

  constructor(onBlock: (block: BlockView) => void) {
    this.#onBlock = onBlock;
    this.#block = emptyBlock();
  }

  /** Bytes of a block that has begun and not ended: more than 0 at the stream's end means it was cut. */
  get pending(): number {
    return this.#gathered;
  }

  /**
   * Take the next bytes of the stream, in any portion.
   * @throws KsnoopError DAMAGED_PCAPNG saying at which byte the stream stopped being pcapng
   */
  push(chunk: Uint8Array): void {
    let offset = 0;
    while (this.#gathered > 0 && offset < chunk.length) {
      offset += this.#gather(chunk, offset);
      if (this.#gathered < this.#spanning.length) return;
      const view = this.#view;
      const total = this.#totalLength(this.#spanning, view, 0);
      if (this.#gathered < total) {
        this.#makeRoom(total, 0);
        continue;
      }
      const whole = this.#spanning;
      this.#gathered = 0;
      this.#spanning = new Uint8Array(HEAD_BYTES);
      this.#view = new DataView(this.#spanning.buffer);
      this.#emit(whole, view, 0, total);
    }
    if (offset < chunk.length) this.#pushWhole(chunk, offset);
  }

  #pushWhole(chunk: Uint8Array, start: number): void {
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let offset = start;
    while (chunk.length - offset >= SHORTEST_BLOCK) {
      const total = this.#totalLength(chunk, view, offset);
      if (chunk.length - offset < total) {
        this.#makeRoom(total, chunk.length - offset);
        break;
      }
      this.#emit(chunk, view, offset, total);
      offset += total;
    }
    if (offset < chunk.length) this.#gather(chunk, offset);
  }

  /**
   * A buffer of the block's own length; of one that claims much only when as much has come.
   * @param available bytes of the block that are there and not yet gathered
   */
  #makeRoom(total: number, available: number): void {
    const room = Buffer.allocUnsafeSlow(Math.min(total, Math.max(ROOM_BYTES, available, this.#gathered * 2)));
    room.set(this.#spanning.subarray(0, this.#gathered));
    this.#spanning = room;
    this.#view = new DataView(room.buffer);
  }

  #gather(chunk: Uint8Array, offset: number): number {
    const taken = Math.min(this.#spanning.length - this.#gathered, chunk.length - offset);
    this.#spanning.set(chunk.subarray(offset, offset + taken), this.#gathered);
    this.#gathered += taken;
    return taken;
  }

  /** The block's total length; a section header sets the byte order by its magic first. */
  #totalLength(bytes: Uint8Array, view: DataView, offset: number): number {
    if (view.getUint32(offset, true) === BLOCK.sectionHeader) {
      const magic = view.getUint32(offset + 8, true);
      if (magic === BYTE_ORDER_MAGIC) this.#littleEndian = true;
      else if (view.getUint32(offset + 8, false) === BYTE_ORDER_MAGIC) this.#littleEndian = false;
      else throw this.#damaged('a section header has no byte-order magic');
      const total = view.getUint32(offset + 4, this.#littleEndian);
      if (total < SHORTEST_SECTION_HEADER) throw this.#damaged(`a section header claims ${total} bytes`);
      return this.#checked(total);
    }
    if (this.consumed === 0) {
      throw this.#damaged(`the stream starts with ${hex(bytes, offset)}, which is not a section header`);
    }
    return this.#checked(view.getUint32(offset + 4, this.#littleEndian));
  }

  #checked(total: number): number {
    if (total < SHORTEST_BLOCK || total > BLOCK_MAXIMUM || total % 4 !== 0) {
      throw this.#damaged(`a block claims ${total} bytes`);
    }
    return total;
  }

  #emit(bytes: Uint8Array, view: DataView, offset: number, total: number): void {
    if (view.getUint32(offset + total - 4, this.#littleEndian) !== total) {
      throw this.#damaged('a block does not end with its own length');
    }
    const block = this.#block;
    block.bytes = bytes;
    block.view = view;
    block.offset = offset;
    block.length = total;
    block.type = view.getUint32(offset, this.#littleEndian);
    block.littleEndian = this.#littleEndian;
    this.consumed += total;
    this.#onBlock(block);
  }

  #damaged(what: string): KsnoopError {
    return new KsnoopError('DAMAGED_PCAPNG', `The stream is damaged at byte ${this.consumed}: ${what}.`);
  }
}

function hex(bytes: Uint8Array, offset: number): string {
  return Buffer.from(bytes.subarray(offset, offset + 4)).toString('hex');
}

/**
 * Walk a block's options.
 * @param start offset in `block.bytes` of the first option
 * @param onOption called with the code and where its value lies
 */
export function forEachOption(
  block: BlockView,
  start: number,
  onOption: (code: number, offset: number, length: number) => void,
): void {
  const end = block.offset + block.length - 4;
  let offset = start;
  while (offset + 4 <= end) {
    const code = block.view.getUint16(offset, block.littleEndian);
    const length = block.view.getUint16(offset + 2, block.littleEndian);
    if (code === 0 || offset + 4 + length > end) return;
    onOption(code, offset + 4, length);
    offset += 4 + padded(length);
  }
}

/** The text of an option's value. */
export function optionText(block: BlockView, offset: number, length: number): string {
  return Buffer.from(block.bytes.buffer, block.bytes.byteOffset + offset, length).toString('utf8');
}

/** Where an Interface Description Block's options start, and an Interface Statistics Block's. */
const IDB_OPTIONS = 16;
const ISB_OPTIONS = 20;

/** The if_name of an Interface Description Block, little-endian; empty when it has none. */
export function interfaceName(bytes: Uint8Array, offset: number, length: number): string {
  return interfaceText(OPTION.ifName, bytes, offset, length);
}

/** The description of an Interface Description Block, little-endian; empty where it has none. */
export function interfaceDescriptionOf(bytes: Uint8Array): string {
  return interfaceText(OPTION.ifDescription, bytes, 0, bytes.length);
}

function interfaceText(option: number, bytes: Uint8Array, offset: number, length: number): string {
  let text = '';
  const block = littleEndianBlock(BLOCK.interfaceDescription, bytes, offset, length);
  forEachOption(block, offset + IDB_OPTIONS, (code, at, size) => {
    if (code === option) text = optionText(block, at, size);
  });
  return text;
}

/** Whether an Interface Statistics Block, little-endian, is its interface's last: it has an isb_endtime. */
export function isLastStatistics(bytes: Uint8Array, offset: number, length: number): boolean {
  let last = false;
  const block = littleEndianBlock(BLOCK.interfaceStatistics, bytes, offset, length);
  forEachOption(block, offset + ISB_OPTIONS, (code) => {
    last ||= code === OPTION.isbEndTime;
  });
  return last;
}

function littleEndianBlock(type: number, bytes: Uint8Array, offset: number, length: number): BlockView {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes, view, offset, length, type, littleEndian: true };
}
