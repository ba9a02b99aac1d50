import { i32, u8, u16 } from '../bytes.ts';
import type { PacketView } from '../packet/packet.ts';

const END = 0;
const NO_OPERATION = 1;
const MSS = 2;
const WINDOW_SCALE = 3;
const SACK_PERMITTED = 4;
const TIMESTAMPS = 8;
/** RFC 7323, section 2.3: more is taken for this. */
const SCALE_MAXIMUM = 14;

/** What a SYN offers. Reused: read it at once. */
export class SynOptions {
  /** 0 without. */
  mss = 0;
  /** Plus 1; 0 without. */
  scale = 0;
  sackPermitted = false;
  /** TSval, int32 (RFC 7323, section 3.2). */
  timestamp = 0;
  hasTimestamp = false;

  /** Read a segment's options; what follows a malformed one is not looked at. */
  read(packet: PacketView): void {
    this.mss = 0;
    this.scale = 0;
    this.sackPermitted = false;
    this.timestamp = 0;
    this.hasTimestamp = false;
    const { bytes } = packet;
    let at = packet.transportOffset + 20;
    const end = at + packet.tcpOptionsLength;
    while (at < end) {
      const kind = u8(bytes, at);
      if (kind === END) return;
      if (kind === NO_OPERATION) {
        at += 1;
        continue;
      }
      if (at + 1 >= end) return;
      const length = u8(bytes, at + 1);
      if (length < 2 || at + length > end) return;
      if (kind === MSS && length === 4) this.mss = u16(bytes, at + 2);
      else if (kind === WINDOW_SCALE && length === 3) this.scale = Math.min(u8(bytes, at + 2), SCALE_MAXIMUM) + 1;
      else if (kind === SACK_PERMITTED) this.sackPermitted = true;
      else if (kind === TIMESTAMPS && length === 10) {
        this.timestamp = i32(bytes, at + 2);
        this.hasTimestamp = true;
      }
      at += length;
    }
  }
}
