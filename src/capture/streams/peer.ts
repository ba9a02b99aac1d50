import { addressText } from '../../wire/address-text.ts';
import { ipHeaderAt } from '../../wire/ip-header.ts';

const TCP = 6;
const UDP = 17;
const SYN = 0x02;
const ACK = 0x10;

/**
 * The client of the receiver of a packet: the source of a SYN, or of a packet from a higher port to a lower one, which is
 * typical for clients of connections that began before the capture (TCP and UDP without IP options).
 * @param offset of the packet's `caplen` bytes
 * @returns its address, undefined when the source is not known to be a client
 */
export function callerOf(linkType: number, bytes: Uint8Array, offset: number, caplen: number): string | undefined {
  const length = ipHeaderAt(linkType, bytes, offset, caplen);
  if (length < 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, caplen);
  const isFour = view.getUint8(length) >> 4 === 4;
  const protocol = view.getUint8(length + (isFour ? 9 : 6));
  if (protocol !== TCP && protocol !== UDP) return undefined;
  if (isFour && (view.getUint16(length + 6) & 0x1fff) !== 0) return undefined;
  const transport = length + (isFour ? (view.getUint8(length) & 0xf) * 4 : 40);
  if (transport + 14 > caplen) return undefined;
  const flags = protocol === TCP ? view.getUint8(transport + 13) & (SYN | ACK) : 0;
  const begins = flags === SYN || ((flags & SYN) === 0 && view.getUint16(transport + 2) < view.getUint16(transport));
  if (!begins) return undefined;
  return isFour ? addressText(bytes, offset + length + 12, 4) : addressText(bytes, offset + length + 8, 16);
}
