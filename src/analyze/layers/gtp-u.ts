import { u8 } from '../bytes.ts';
import { ETHER_TYPE } from './ether-type.ts';
import { type Layer, SPACE } from './layer.ts';

const HEADER = 8;

const PORT = 2152;

/** Version 1, protocol type GTP; the reserved bit behind them is 0. */
const VERSION_MASK = 0xf8;
const VERSION_1 = 0x30;
/** A sequence number, an N-PDU number or an extension header is there: then the fields of all three are. */
const OPTIONAL = 0x07;
const EXTENSION = 0x04;

/** The message that carries a user's packet. */
const G_PDU = 255;

/** 3GPP TS 29.281: the user plane of mobile networks. Messages but G-PDU are recognised only. */
export const gtpU = {
  name: 'gtp-u',
  title: 'GTP-U',
  udpPorts: [PORT],
  decode(packet) {
    const { bytes, cursor } = packet;
    if (packet.payloadCaptured < HEADER) return packet.decline();
    const flags = u8(bytes, cursor);
    if ((flags & VERSION_MASK) !== VERSION_1) return packet.decline();
    packet.cursor = cursor + HEADER;
    if ((flags & OPTIONAL) !== 0) {
      if (!packet.has(4)) return;
      let extension = (flags & EXTENSION) === 0 ? 0 : u8(bytes, packet.cursor + 3);
      packet.cursor += 4;
      while (extension !== 0) {
        if (!packet.has(4)) return;
        const length = u8(bytes, packet.cursor) * 4;
        if (length === 0) return packet.malformed();
        if (!packet.has(length)) return;
        extension = u8(bytes, packet.cursor + length - 1);
        packet.cursor += length;
      }
    }
    if (u8(bytes, cursor + 1) !== G_PDU || packet.payloadCaptured < 1) return;
    const version = u8(bytes, packet.cursor) >> 4;
    if (version === 4) packet.next = SPACE.etherType + ETHER_TYPE.ipv4;
    else if (version === 6) packet.next = SPACE.etherType + ETHER_TYPE.ipv6;
  },
} as const satisfies Layer;
