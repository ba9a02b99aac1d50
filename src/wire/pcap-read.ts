import { KsnoopError } from './errors.ts';
import { BLOCK_MAXIMUM } from './limits.ts';
import { normalLinkType } from './link-type.ts';

/** Classic pcap (draft-ietf-opsawg-pcap). Magic numbers as they read in the file's own byte order. */
const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const MAGIC_NANOSECONDS = 0xa1b23c4d;
/** Alexey Kuznetzov's patched libpcap, which busybox and some appliances still write (libpcap, sf-pcap.c). */
const MAGIC_KUZNETZOV = 0xa1b2cd34;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
/** Kuznetzov's records also have an interface index, an EtherType and a packet type. */
const KUZNETZOV_RECORD_BYTES = 24;

/** First four bytes, read as big-endian, of every pcap file that is understood: each format in both byte orders. */
export const PCAP_MAGICS: ReadonlySet<number> = new Set(
  [MAGIC_MICROSECONDS, MAGIC_NANOSECONDS, MAGIC_KUZNETZOV].flatMap((magic) => [magic, swapped(magic)]),
);

function swapped(word: number): number {
  return ((word & 0xff) * 0x1000000 + ((word & 0xff00) << 8) + ((word >>> 8) & 0xff00) + (word >>> 24)) >>> 0;
}

export interface PcapHeader {
  readonly linkType: number;
  readonly snaplen: number;
  readonly nanoseconds: boolean;
  readonly littleEndian: boolean;
  /** Bytes before each packet's own. */
  readonly recordHeader: number;
}

/** What a framed stream calls back with. `data` lies in `bytes` at `offset`, valid during the call only. */
export interface PcapHandlers {
  header(header: PcapHeader): void;
  packet(
    seconds: number,
    nanoseconds: number,
    caplen: number,
    origlen: number,
    bytes: Uint8Array,
    offset: number,
  ): void;
}

/** Frames a classic pcap stream out of bytes cut anywhere; a record that lies whole in a chunk is not copied. */
export class PcapFramer {
  /** Bytes of whole records framed so far. */
  consumed = 0;
  readonly #handlers: PcapHandlers;
  #header: PcapHeader | undefined;
  #carry = new Uint8Array(64 * 1024);
  #carried = 0;

  constructor(handlers: PcapHandlers) {
    this.#handlers = handlers;
  }

  /** Bytes of a record that has begun and not ended. */
  get pending(): number {
    return this.#carried;
  }

  /** Take the stream's next bytes. @throws KsnoopError DAMAGED_PCAP with the byte offset */
  push(chunk: Uint8Array): void {
    let offset = 0;
    while (this.#carried > 0 && offset < chunk.length) {
      const view = new DataView(this.#carry.buffer);
      const needed = this.#needed(view, 0, this.#carried);
      offset += this.#keep(chunk, offset, needed - this.#carried);
      const grown = new DataView(this.#carry.buffer);
      if (this.#carried < needed || this.#needed(grown, 0, this.#carried) > this.#carried) continue;
      const length = this.#carried;
      this.#carried = 0;
      this.#take(this.#carry, grown, 0, length);
    }
    if (offset >= chunk.length) return;
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    offset = this.#takeWhole(chunk, view, offset);
    if (offset >= chunk.length) return;
    for (;;) {
      const available = chunk.length - offset;
      const needed = this.#needed(view, offset, available);
      if (needed > available) break;
      this.#take(chunk, view, offset, needed);
      offset += needed;
      if (offset >= chunk.length) return;
    }
    this.#keep(chunk, offset, chunk.length - offset);
  }

  /** Records that lie whole in the chunk, one after the other. @returns where the first lies that does not */
  #takeWhole(chunk: Uint8Array, view: DataView, start: number): number {
    const header = this.#header;
    if (header === undefined) return start;
    const { littleEndian } = header;
    const unit = header.nanoseconds ? 1 : 1000;
    const handlers = this.#handlers;
    const { recordHeader } = header;
    const last = chunk.length - recordHeader;
    let offset = start;
    while (offset <= last) {
      const caplen = view.getUint32(offset + 8, littleEndian);
      if (caplen > last - offset) break;
      this.consumed += recordHeader + caplen;
      const data = offset + recordHeader;
      handlers.packet(
        view.getUint32(offset, littleEndian),
        view.getUint32(offset + 4, littleEndian) * unit,
        caplen,
        view.getUint32(offset + 12, littleEndian),
        chunk,
        data,
      );
      offset = data + caplen;
    }
    return offset;
  }

  /** Bytes of the record at `offset`, as far as the `available` ones show. */
  #needed(view: DataView, offset: number, available: number): number {
    const header = this.#header;
    if (header === undefined) return FILE_HEADER_BYTES;
    const { recordHeader } = header;
    if (available < recordHeader) return recordHeader;
    const caplen = view.getUint32(offset + 8, header.littleEndian);
    if (caplen > BLOCK_MAXIMUM) {
      throw new KsnoopError(
        'DAMAGED_PCAP',
        `The capture is damaged at byte ${this.consumed}: a record of ${caplen} bytes.`,
      );
    }
    return recordHeader + caplen;
  }

  #take(bytes: Uint8Array, view: DataView, offset: number, length: number): void {
    const header = this.#header;
    if (header === undefined) {
      this.#header = parseHeader(view, offset);
      this.consumed += length;
      this.#handlers.header(this.#header);
      return;
    }
    const { littleEndian, recordHeader } = header;
    const fraction = view.getUint32(offset + 4, littleEndian);
    this.consumed += length;
    this.#handlers.packet(
      view.getUint32(offset, littleEndian),
      header.nanoseconds ? fraction : fraction * 1000,
      length - recordHeader,
      view.getUint32(offset + 12, littleEndian),
      bytes,
      offset + recordHeader,
    );
  }

  #keep(chunk: Uint8Array, offset: number, wanted: number): number {
    const taken = Math.min(wanted, chunk.length - offset);
    const total = this.#carried + taken;
    if (total > this.#carry.length) {
      const larger = new Uint8Array(Math.max(total, this.#carry.length * 2));
      larger.set(this.#carry.subarray(0, this.#carried));
      this.#carry = larger;
    }
    this.#carry.set(chunk.subarray(offset, offset + taken), this.#carried);
    this.#carried = total;
    return taken;
  }
}

function parseHeader(view: DataView, offset: number): PcapHeader {
  for (const littleEndian of [true, false]) {
    const magic = view.getUint32(offset, littleEndian);
    if (magic !== MAGIC_MICROSECONDS && magic !== MAGIC_NANOSECONDS && magic !== MAGIC_KUZNETZOV) continue;
    return {
      // The upper bits carry the FCS length (section 4 of the draft).
      linkType: normalLinkType(view.getUint32(offset + 20, littleEndian) & 0xffff),
      snaplen: view.getUint32(offset + 16, littleEndian),
      nanoseconds: magic === MAGIC_NANOSECONDS,
      littleEndian,
      recordHeader: magic === MAGIC_KUZNETZOV ? KUZNETZOV_RECORD_BYTES : RECORD_HEADER_BYTES,
    };
  }
  const magic = view.getUint32(offset, false).toString(16).padStart(8, '0');
  throw new KsnoopError('DAMAGED_PCAP', `This is not a pcap stream: at byte 0 it starts with ${magic}.`);
}
