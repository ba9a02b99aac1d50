import { latin1 } from '../../record/text.ts';
import { VarintReader } from './varint.ts';

/** Takes what packets carry (RFC 9000 section 19). Methods that may be missing: of frames that Initial packets have none of. */
export interface FrameSink {
  onCrypto(offset: number, bytes: Uint8Array, start: number, end: number): void;
  /** @param isApplication the error is the application protocol's */
  onClose(error: number, reason: string, isApplication: boolean): void;
  /** @param largest greatest packet number of the other direction that has arrived */
  onAck?(largest: number): void;
  onStream?(frame: StreamFrame): void;
  /** The sender gives up sending. @param size bytes of the stream, those not sent included */
  onReset?(stream: number, error: number, size: number): void;
  /** The sender does not want more of the stream. */
  onStop?(stream: number, error: number): void;
  /** The sender may be addressed by this id from now on. */
  onNewId?(id: Uint8Array): void;
}

/** Bytes of a stream; they are valid during the call. */
export interface StreamFrame {
  readonly stream: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** The stream ends with them. */
  readonly fin: boolean;
}

/** Characters kept of why a connection was closed. */
const REASON_MAXIMUM = 200;
const ID_MAXIMUM = 20;
const RESET_TOKEN_BYTES = 16;

/**
 * Walk the frames of a packet's payload.
 * @returns false when they end with one that is not known or not whole: what is behind it cannot be read
 */
export function eachFrame(payload: Uint8Array, sink: FrameSink): boolean {
  const reader = new VarintReader(payload, 0, payload.length);
  while (reader.at < payload.length) {
    const type = reader.next();
    // PADDING.
    if (type === 0) continue;
    if (!oneFrame(type, reader, sink)) return false;
  }
  return true;
}

function oneFrame(type: number, reader: VarintReader, sink: FrameSink): boolean {
  if (type >= 0x08 && type <= 0x0f) return streamFrame(type, reader, sink);
  switch (type) {
    // PING, HANDSHAKE_DONE, IMMEDIATE_ACK.
    case 0x01:
    case 0x1e:
    case 0x1f:
      return true;
    case 0x02:
    case 0x03:
      return ackFrame(reader, type === 0x03, sink);
    case 0x04: {
      const [stream, error, size] = [reader.next(), reader.next(), reader.next()];
      if (Number.isNaN(size)) return false;
      sink.onReset?.(stream, error, size);
      return true;
    }
    case 0x05: {
      const [stream, error] = [reader.next(), reader.next()];
      if (Number.isNaN(error)) return false;
      sink.onStop?.(stream, error);
      return true;
    }
    case 0x06: {
      const offset = reader.next();
      const start = lengthAndBytes(reader);
      if (start < 0) return false;
      sink.onCrypto(offset, reader.bytes, start, reader.at);
      return true;
    }
    case 0x07:
      return lengthAndBytes(reader) >= 0;
    // MAX_DATA, MAX_STREAMS, DATA_BLOCKED, STREAMS_BLOCKED, RETIRE_CONNECTION_ID.
    case 0x10:
    case 0x12:
    case 0x13:
    case 0x14:
    case 0x16:
    case 0x17:
    case 0x19:
      return !Number.isNaN(reader.next());
    // MAX_STREAM_DATA, STREAM_DATA_BLOCKED.
    case 0x11:
    case 0x15:
      reader.next();
      return !Number.isNaN(reader.next());
    case 0x18:
      return newIdFrame(reader, sink);
    // PATH_CHALLENGE, PATH_RESPONSE.
    case 0x1a:
    case 0x1b:
      return skip(reader, 8);
    case 0x1c:
    case 0x1d:
      return closeFrame(reader, type === 0x1d, sink);
    // DATAGRAM (RFC 9221).
    case 0x30:
      reader.at = reader.end;
      return true;
    case 0x31:
      return lengthAndBytes(reader) >= 0;
    // ACK_FREQUENCY.
    case 0xaf:
      for (let count = 0; count < 3; count += 1) reader.next();
      return !Number.isNaN(reader.next());
    default:
      return false;
  }
}

function streamFrame(type: number, reader: VarintReader, sink: FrameSink): boolean {
  const stream = reader.next();
  const offset = (type & 0x04) === 0 ? 0 : reader.next();
  if (Number.isNaN(offset) || Number.isNaN(stream)) return false;
  let start = reader.at;
  if ((type & 0x02) === 0) reader.at = reader.end;
  else {
    start = lengthAndBytes(reader);
    if (start < 0) return false;
  }
  sink.onStream?.({ stream, offset, bytes: reader.bytes, start, end: reader.at, fin: (type & 0x01) !== 0 });
  return true;
}

/** Section 19.3: largest, delay, number of further ranges, first range; the ranges; ECN counts. */
function ackFrame(reader: VarintReader, ecn: boolean, sink: FrameSink): boolean {
  const largest = reader.next();
  reader.next();
  const ranges = reader.next();
  if (Number.isNaN(reader.next())) return false;
  for (let left = ranges * 2 + (ecn ? 3 : 0); left > 0; left -= 1) if (Number.isNaN(reader.next())) return false;
  sink.onAck?.(largest);
  return true;
}

function newIdFrame(reader: VarintReader, sink: FrameSink): boolean {
  reader.next();
  reader.next();
  if (reader.at >= reader.end) return false;
  const length = reader.bytes[reader.at] as number;
  const start = reader.at + 1;
  if (length > ID_MAXIMUM || !skip(reader, 1 + length + RESET_TOKEN_BYTES)) return false;
  sink.onNewId?.(reader.bytes.subarray(start, start + length));
  return true;
}

function closeFrame(reader: VarintReader, isApplication: boolean, sink: FrameSink): boolean {
  const error = reader.next();
  // The type of the frame that was wrong.
  if (!isApplication) reader.next();
  const start = lengthAndBytes(reader);
  if (start < 0) return false;
  sink.onClose(error, latin1(reader.bytes, start, Math.min(reader.at, start + REASON_MAXIMUM)), isApplication);
  return true;
}

/** Step over a length and so many bytes. @returns where the bytes begin; -1 where they are not whole */
function lengthAndBytes(reader: VarintReader): number {
  const length = reader.next();
  const start = reader.at;
  return skip(reader, length) ? start : -1;
}

function skip(reader: VarintReader, length: number): boolean {
  if (!(length <= reader.end - reader.at)) return false;
  reader.at += length;
  return true;
}
