import { zstdDecompressSync } from 'node:zlib';
import { invalid } from '../../wire/guard.ts';
import { FRAME_BYTES } from '../../wire/limits.ts';
import { decodeFrame, encodeFrame, FRAME_KIND } from '../../wire/session-frame.ts';

/**
 * A message of an agent as a plain frame.
 * @throws KsnoopError INVALID_MESSAGE when it does not decompress, or to more than a frame carries
 */
export function unpackFrame(message: Uint8Array): Uint8Array {
  if (message[0] !== FRAME_KIND.zstd) return message;
  const { channel, offset, payload } = decodeFrame(message);
  try {
    const plain = zstdDecompressSync(payload, { maxOutputLength: FRAME_BYTES });
    return encodeFrame(FRAME_KIND.data, channel, offset, plain);
  } catch {
    throw invalid('session frame', 'does not decompress');
  }
}
