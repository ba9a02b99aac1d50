import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import type { FrameLink } from '../../wire/resumable.ts';
import { CHANNEL, decodeFrame, encodeFrame, FRAME_KIND } from '../../wire/session-frame.ts';
import { COMPRESSION_MINIMUM, FULL_BYTES } from '../limits.ts';
import type { CompressionChoice } from './compression-choice.ts';

const compress = promisify(zstdCompress);
const FASTEST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** The socket of a link, as far as compression needs it. */
export interface FrameSocket {
  /** Bytes that wait for the network. */
  readonly bufferedAmount: number;
  send(frame: Uint8Array): void;
}

/**
 * Sends frames in their order. Frames of stdout are compressed when that is faster. Each is a separate zstd frame, so that a
 * connection may break between any two; several are compressed at once.
 */
export class CompressingLink implements FrameLink {
  readonly #socket: FrameSocket;
  readonly #choice: CompressionChoice;
  /** Frames under compression, and those that come after them. */
  readonly #queue: { frame: Uint8Array | undefined }[] = [];
  #queued = 0;

  constructor(socket: FrameSocket, choice: CompressionChoice) {
    this.#socket = socket;
    this.#choice = choice;
  }

  send(frame: Uint8Array): void {
    const compressed = this.#isPacked(frame);
    if (!compressed && this.#queue.length === 0) {
      this.#socket.send(frame);
      return;
    }
    const place: { frame: Uint8Array | undefined } = { frame: compressed ? undefined : frame };
    this.#queue.push(place);
    if (!compressed) return;
    this.#queued += frame.length;
    void pack(frame).then((packed) => {
      this.#queued -= frame.length;
      place.frame = packed;
      this.#sendReady();
    });
  }

  #isPacked(frame: Uint8Array): boolean {
    if (frame[0] !== FRAME_KIND.data || frame[1] !== CHANNEL.stdout || frame.length < COMPRESSION_MINIMUM) return false;
    return this.#choice.compress(performance.now(), this.#socket.bufferedAmount + this.#queued > FULL_BYTES);
  }

  #sendReady(): void {
    for (;;) {
      const [place] = this.#queue;
      if (place?.frame === undefined) return;
      this.#queue.shift();
      this.#socket.send(place.frame);
    }
  }
}

/** The frame with its payload compressed; the frame itself when compression does not shorten it, or fails. */
async function pack(frame: Uint8Array): Promise<Uint8Array> {
  const { channel, offset, payload } = decodeFrame(frame);
  const packed = await compress(payload, FASTEST).catch(() => payload);
  return packed.length < payload.length ? encodeFrame(FRAME_KIND.zstd, channel, offset, packed) : frame;
}
