import { type Parts, type PlacedFrame, partsOf } from './frames.ts';

/** The frame with another payload; lengths in its headers are right. */
function withPayload(frame: PlacedFrame, parts: Parts, payload: Buffer): PlacedFrame {
  const bytes = Buffer.concat([frame.bytes.subarray(0, parts.payload), payload]);
  const { ip, version, tcp, transport } = parts;
  const length = bytes.length - ip;
  if (version === 4) bytes.writeUInt16BE(length % 65_536, ip + 2);
  else bytes.writeUInt16BE((length - 40) % 65_536, ip + 4);
  if (!tcp) bytes.writeUInt16BE((bytes.length - transport) % 65_536, transport + 4);
  return { ...frame, bytes, origlen: bytes.length };
}

/**
 * The connection with another payload in one packet: sequence numbers behind it, and what acknowledges them, move.
 * @param index the packet's
 */
export function resized(frames: readonly PlacedFrame[], index: number, payload: Buffer): readonly PlacedFrame[] {
  const changed = frames[index];
  const parts = changed === undefined ? undefined : partsOf(changed);
  if (changed === undefined || parts === undefined) return frames;
  const more = payload.length - (changed.bytes.length - parts.payload);
  const own = withPayload(changed, parts, payload);
  if (!parts.tcp) return frames.map((frame, at) => (at === index ? own : frame));
  const end = changed.bytes.readUInt32BE(parts.transport + 4) + payload.length - more;
  return frames.map((frame, at) => {
    if (at === index) return own;
    const other = partsOf(frame);
    if (other === undefined) return frame;
    const isSameSide = other.ends[0].port === parts.ends[0].port && other.ends[0].address === parts.ends[0].address;
    const place = other.transport + (isSameSide ? 4 : 8);
    const number = frame.bytes.readUInt32BE(place);
    // Before it in the sequence, half of the numbers.
    if (((number - end) | 0) < 0) return frame;
    const bytes = Buffer.from(frame.bytes);
    bytes.writeUInt32BE((number + more) >>> 0, place);
    return { ...frame, bytes };
  });
}

/** A TCP segment in two parts, the second 1 µs later; other packets stay as they are. @param at bytes of the first */
export function split(frame: PlacedFrame, at: number): readonly PlacedFrame[] {
  const parts = partsOf(frame);
  if (parts === undefined || !parts.tcp) return [frame];
  const payload = frame.bytes.subarray(parts.payload);
  const first = withPayload(frame, parts, payload.subarray(0, at));
  const second = withPayload({ ...frame, time: frame.time + 1_000n }, parts, payload.subarray(at));
  second.bytes.writeUInt32BE((frame.bytes.readUInt32BE(parts.transport + 4) + at) >>> 0, parts.transport + 4);
  return [first, second];
}
