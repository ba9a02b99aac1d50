import { LINK_TYPE } from './link-type.ts';

/** Bytes before the IP header, and where in them its EtherType is; -1 where there is none. */
const LINK_HEADERS: Readonly<Record<number, readonly [length: number, etherType: number]>> = {
  [LINK_TYPE.ethernet]: [14, 12],
  [LINK_TYPE.linuxSll]: [16, 14],
  [LINK_TYPE.linuxSll2]: [20, 0],
  [LINK_TYPE.raw]: [0, -1],
};

/**
 * Where a packet's own IP header begins, if it comes right behind the link's and its addresses were captured.
 * @param offset of the packet's `caplen` bytes
 * @returns bytes behind `offset`; -1 for a packet of anything else
 */
export function ipHeaderAt(linkType: number, bytes: Uint8Array, offset: number, caplen: number): number {
  const header = LINK_HEADERS[linkType];
  if (header === undefined) return -1;
  const [length, etherType] = header;
  if (caplen < length + 20) return -1;
  const version = (bytes[offset + length] as number) >> 4;
  if (version !== 4 && (version !== 6 || caplen < length + 40)) return -1;
  if (etherType < 0) return length;
  const type = ((bytes[offset + etherType] as number) << 8) | (bytes[offset + etherType + 1] as number);
  return type === (version === 4 ? 0x0800 : 0x86dd) ? length : -1;
}
