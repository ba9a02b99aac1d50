import { i32, u8, u16 } from '../bytes.ts';
import type { PacketView } from '../packet/packet.ts';
import { type Layer, SPACE } from './layer.ts';

export const SELECT_WIREGUARD: number = SPACE.own + 1;

/** Message types, each followed by three bytes of zero (WireGuard, "Protocol & Cryptography"). */
const INITIATION = 1;
const RESPONSE = 2;
const COOKIE = 3;
const TRANSPORT = 4;

/** Their lengths; a transport message has a header and a tag of 16 bytes each and is padded to 16. */
const INITIATION_LENGTH = 148;
const RESPONSE_LENGTH = 92;
const COOKIE_LENGTH = 64;
const TRANSPORT_MINIMUM = 32;
const PADDING = 16;

/** WireGuard, recognised by its messages on any port. What is in them is encrypted: they are payload as a whole. */
export const wireguard = {
  name: 'wireguard',
  title: 'WireGuard',
  selector: SELECT_WIREGUARD,
  decode() {},
} as const satisfies Layer;

/**
 * Whether a UDP payload is a WireGuard message: its type, three zero bytes and its length fit, and a transport
 * message's receiver and counter are ones that occur (a counter starts at 0 and a key lasts for 2^60 messages at most;
 * 2^48 are believed).
 */
export function looksLikeWireguard(packet: PacketView): boolean {
  const { bytes, cursor, end } = packet;
  // Nearly everything ends here.
  if (end - cursor < PADDING || u8(bytes, cursor) > TRANSPORT) return false;
  if ((i32(bytes, cursor) & 0xff_ffff) !== 0) return false;
  const length = packet.wireEnd - cursor;
  switch (u8(bytes, cursor)) {
    case INITIATION:
      return length === INITIATION_LENGTH;
    case RESPONSE:
      return length === RESPONSE_LENGTH;
    case COOKIE:
      return length === COOKIE_LENGTH;
    case TRANSPORT: {
      if (length < TRANSPORT_MINIMUM || length % PADDING !== 0) return false;
      return i32(bytes, cursor + 4) !== 0 && u16(bytes, cursor + 14) === 0;
    }
    default:
      return false;
  }
}
