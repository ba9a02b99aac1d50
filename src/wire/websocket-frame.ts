/** A final frame of binary data, and the bit of a masked payload (RFC 6455, section 5.2). */
const FINAL_BINARY = 0x82;
const MASKED = 0x80;

/** In place of the length: it follows as two bytes. */
const TWO_BYTES = 126;

/** The longest payload that `clientFrame` takes, bytes. */
export const CLIENT_FRAME_MAXIMUM = 0xffff;

/**
 * A websocket's binary message in one frame, as a client sends it.
 * @param payload CLIENT_FRAME_MAXIMUM bytes at most
 * @param mask four bytes that nobody can predict (RFC 6455, section 5.3)
 * @throws RangeError for a longer payload
 */
export function clientFrame(payload: Uint8Array, mask: Uint8Array): Uint8Array {
  if (payload.length > CLIENT_FRAME_MAXIMUM) throw new RangeError(`a frame of ${payload.length} bytes`);
  const isShort = payload.length < TWO_BYTES;
  const start = (isShort ? 2 : 4) + mask.length;
  const frame = new Uint8Array(start + payload.length);
  frame[0] = FINAL_BINARY;
  frame[1] = MASKED | (isShort ? payload.length : TWO_BYTES);
  if (!isShort) new DataView(frame.buffer).setUint16(2, payload.length);
  frame.set(mask, start - mask.length);
  for (const [index, byte] of payload.entries()) frame[start + index] = byte ^ (mask[index % mask.length] ?? 0);
  return frame;
}
