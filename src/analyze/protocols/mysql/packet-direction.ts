import { inflateSync, zstdDecompressSync } from 'node:zlib';
import { LengthFramer } from '../length-framer.ts';
import { PACKET_HEADER, u24le } from './packets.ts';

/** Before each compressed frame: its length, its number, its length before it was compressed ("Compressed Packet"). */
const FRAME_HEADER = 7;
/** Most bytes kept of a compressed frame, and most that one may hold: others are skipped like bytes not captured. */
const FRAME_MAXIMUM = 128 * 1024;
const INFLATED_MAXIMUM = 1024 * 1024;

/** A packet, or what was captured of it. Reused, and valid during the call only. */
export interface Packet {
  /** What is kept of its payload lies in `bytes` from `at` to `limit`. */
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly limit: number;
  /** Bytes of the whole payload. */
  readonly payload: number;
  readonly sequence: number;
  /** Stream offsets of its first byte and behind its last: of the frames that hold them, where it was compressed. */
  readonly start: number;
  readonly end: number;
  /** What the packets of its first and last byte acknowledge of the other side's stream; -1 where unknown. */
  readonly acknowledged: number;
  readonly lastAcknowledged: number;
  /** First and last byte: ns; NaN where not known. */
  readonly time: number;
  readonly last: number;
  /** No byte of it is missing. */
  readonly whole: boolean;
}

export type PacketCompression = 'zlib' | 'zstd';

export interface DirectionSink {
  /** Most bytes kept of a packet. */
  readonly keep: number;
  /** Most bytes that `begins` looks at. */
  readonly seekBytes: number;
  /** Sequence number of the first packet, or frame, of a command or of an answer. */
  readonly firstSequence: number;
  begins(bytes: Uint8Array, start: number, end: number, offset: number): boolean | undefined;
  /** Whether the other side had received everything up to this byte when it last sent something. */
  expects(offset: number): boolean;
  onPacket(packet: Packet): void;
  /** Bytes from this offset on are no packet, and are skipped. */
  onSkipped(offset: number): void;
  /** What a compressed frame holds cannot be had: packets are missing. */
  onMissing(offset: number, length: number): void;
}

const NOTHING = new Uint8Array(0);

/** One direction of a connection, cut into packets, compressed or not. */
export class PacketDirection {
  readonly #sink: DirectionSink;
  readonly #packets: LengthFramer;
  readonly #packet = {
    bytes: NOTHING as Uint8Array,
    at: 0,
    limit: 0,
    payload: 0,
    sequence: 0,
    start: 0,
    end: 0,
    acknowledged: -1,
    lastAcknowledged: -1,
    time: 0,
    last: 0,
    whole: true,
  };
  #frames: LengthFramer | undefined;
  #compression: PacketCompression = 'zlib';
  /** Of the frame in which the packet under way began, and of the frame at hand. */
  #beginOffset = 0;
  #beginTime = 0;
  #beginAcknowledged = -1;
  #frameOffset = 0;
  #frameTime = 0;
  #frameAcknowledged = -1;
  #frameEnd = 0;
  /** The other side has refused the packet under way, having received the stream up to this offset; -1 while it has not. */
  #refusedAt = -1;
  /** Bytes of that packet that were sent, and when the last bytes came: ns. */
  #refusedBytes = 0;
  #lastTime = Number.NaN;

  constructor(sink: DirectionSink) {
    this.#sink = sink;
    this.#packets = new LengthFramer({
      header: PACKET_HEADER,
      keep: sink.keep,
      holes: true,
      cut: true,
      seeking: {
        bytes: sink.seekBytes,
        least: 1,
        // Of a compressed stream only the frames are searched.
        begins: (bytes, start, end, offset) =>
          this.#frames === undefined ? sink.begins(bytes, start, end, offset) : false,
      },
      lengthOf: (bytes, start) => PACKET_HEADER + u24le(bytes, start),
      onMessage: (bytes, start, end, length, time, last, whole) =>
        this.#onPacket(bytes, start, end, length, time, last, whole),
      onLost: () => undefined,
      onSkipped: (offset) => {
        if (this.#frames === undefined) sink.onSkipped(offset);
      },
    });
  }

  /** Where packets begin is not known. */
  get lost(): boolean {
    return this.#frames?.lost ?? this.#packets.lost;
  }

  get isCompressed(): boolean {
    return this.#frames !== undefined;
  }

  /** What follows is compressed. */
  compress(compression: PacketCompression): void {
    if (this.#frames !== undefined) return;
    this.#compression = compression;
    this.#packets.stop();
    const frames: LengthFramer = new LengthFramer({
      header: FRAME_HEADER,
      keep: FRAME_MAXIMUM,
      holes: true,
      cut: true,
      seeking: {
        bytes: FRAME_HEADER,
        begins: (bytes, start, _end, offset) =>
          this.#sink.expects(offset) && bytes[start + 3] === this.#sink.firstSequence && u24le(bytes, start) > 0,
      },
      lengthOf: (bytes, start) => FRAME_HEADER + u24le(bytes, start),
      onMessage: (bytes, start, end, length, time, last, whole) => {
        this.#frameTime = time;
        this.#frameOffset = frames.offset;
        this.#frameAcknowledged = frames.firstAcknowledged;
        this.#frameEnd = frames.offset + length;
        this.#onFrame(bytes, start, end, whole && end - start === length, last, frames.lastAcknowledged);
      },
      onLost: () => undefined,
      onSkipped: (offset) => this.#sink.onSkipped(offset),
    });
    this.#frames = frames;
  }

  /** What follows is not a packet: the next beginning is searched for. */
  seek(): void {
    if (this.#frames === undefined) this.#packets.seek();
    else this.#frames.seek();
  }

  /**
   * The other side refuses the packet under way, and ends the connection: what came of it is handed on, and nothing after it.
   * @param acknowledged what the refusal acknowledges: only what reaches behind the packet's header can be one
   */
  refused(acknowledged: number): void {
    if (this.#frames !== undefined || !this.#packets.pending || this.#packets.lost) return;
    if (acknowledged <= this.#packets.offset + PACKET_HEADER) return;
    this.#refusedAt = acknowledged;
    this.#refusedBytes = this.#packets.seen;
    this.#packets.end();
    this.#packets.stop();
  }

  data(bytes: Uint8Array, start: number, end: number, time: number, offset: number, acknowledged: number): void {
    let at = start;
    this.#lastTime = time;
    if (this.#frames === undefined) at = this.#packets.data(bytes, start, end, time, offset, acknowledged);
    this.#rest(bytes, at, end, time, offset + (at - start), acknowledged);
  }

  #rest(bytes: Uint8Array, start: number, end: number, time: number, offset: number, acknowledged: number): void {
    if (start >= end || this.#frames === undefined) return;
    // Where frames were lost and found again, a packet begins.
    if (this.#packets.lost) this.#packets.restart();
    this.#frames.data(bytes, start, end, time, offset, acknowledged);
  }

  gap(length: number): void {
    if (this.#frames === undefined) {
      this.#packets.gap(length, Number.NaN);
      return;
    }
    this.#frames.gap(length, Number.NaN);
    if (this.#frames.lost) this.#packets.stop();
  }

  #onFrame(bytes: Uint8Array, start: number, end: number, whole: boolean, last: number, acknowledged: number): void {
    const declared = u24le(bytes, start + 4);
    const length = declared === 0 ? this.#frameEnd - this.#frameOffset - FRAME_HEADER : declared;
    const payload = bytes.subarray(start + FRAME_HEADER, end);
    const contents = whole ? (declared === 0 ? payload : this.#expanded(payload, declared)) : undefined;
    if (!this.#packets.pending) this.#begin();
    if (contents !== undefined) {
      this.#packets.data(contents, 0, length, last, 0, acknowledged);
      return;
    }
    this.#packets.gap(length, last);
    if (!this.#packets.lost) return;
    this.#frames?.seek();
    this.#sink.onMissing(this.#frameOffset, this.#frameEnd - this.#frameOffset);
  }

  /** What a frame holds; undefined where that cannot be had. */
  #expanded(payload: Uint8Array, length: number): Uint8Array | undefined {
    if (length > INFLATED_MAXIMUM) return undefined;
    try {
      const expand = this.#compression === 'zlib' ? inflateSync : zstdDecompressSync;
      const contents = expand(payload, { maxOutputLength: length });
      return contents.length === length ? contents : undefined;
    } catch {
      return undefined;
    }
  }

  #begin(): void {
    this.#beginOffset = this.#frameOffset;
    this.#beginTime = this.#frameTime;
    this.#beginAcknowledged = this.#frameAcknowledged;
  }

  #onPacket(
    bytes: Uint8Array,
    start: number,
    end: number,
    length: number,
    time: number,
    last: number,
    whole: boolean,
  ): void {
    const packet = this.#packet;
    packet.bytes = bytes;
    packet.at = Math.min(start + PACKET_HEADER, end);
    packet.limit = end;
    packet.payload = length - PACKET_HEADER;
    packet.sequence = bytes[start + 3] ?? 0;
    packet.last = last;
    packet.whole = whole;
    packet.lastAcknowledged = this.#packets.lastAcknowledged;
    if (this.#frames === undefined) {
      packet.start = this.#packets.offset;
      packet.end = packet.start + length;
      if (this.#refusedAt >= 0) {
        packet.payload = this.#refusedBytes - PACKET_HEADER;
        packet.end = Math.min(packet.start + this.#refusedBytes, this.#refusedAt);
        packet.last = this.#lastTime;
        packet.whole = this.#packets.captured === this.#refusedBytes;
      }
      packet.acknowledged = this.#packets.firstAcknowledged;
      packet.time = time;
    } else {
      packet.start = this.#beginOffset;
      packet.end = this.#frameEnd;
      packet.acknowledged = this.#beginAcknowledged;
      packet.time = this.#beginTime;
      this.#begin();
    }
    this.#sink.onPacket(packet);
  }
}
