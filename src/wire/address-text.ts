import { isIPv4, isIPv6 } from 'node:net';

/**
 * An IPv4 or IPv6 address as text.
 * @param at where its bytes begin; all of them must be within `bytes`
 * @param length 4 or 16
 */
export function addressText(bytes: Uint8Array, at: number, length: number): string {
  return length === 4 ? ipv4Text(bytes, at) : ipv6Text(bytes, at);
}

function ipv4Text(bytes: Uint8Array, at: number): string {
  return `${u8(bytes, at)}.${u8(bytes, at + 1)}.${u8(bytes, at + 2)}.${u8(bytes, at + 3)}`;
}

/** RFC 5952: the first longest run of zero groups shortened, IPv4-mapped addresses with a dotted end. */
function ipv6Text(bytes: Uint8Array, at: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => u16(bytes, at + index * 2));
  if (groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)) {
    return `::ffff:${ipv4Text(bytes, at + 12)}`;
  }
  let start = -1;
  let longest = 1;
  for (let index = 0; index < 8; index += 1) {
    let run = 0;
    while (groups[index + run] === 0) run += 1;
    if (run > longest) {
      longest = run;
      start = index;
    }
    index += run;
  }
  const text = groups.map((group) => group.toString(16));
  if (start === -1) return text.join(':');
  return `${text.slice(0, start).join(':')}::${text.slice(start + longest).join(':')}`;
}

/** Six bytes of a hardware address. */
export function hardwareText(bytes: Uint8Array, at: number): string {
  return Array.from({ length: 6 }, (_, index) =>
    u8(bytes, at + index)
      .toString(16)
      .padStart(2, '0'),
  ).join(':');
}

function u8(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/**
 * Whether a text is an IPv4 or IPv6 address. As isIP of node:net; but the pattern of IPv6, which takes 5 ms to compile, is
 * tried only where there is a colon: most of what is no address is a name, and the start of a capture waits for this.
 */
export function isAddress(text: string): boolean {
  return isIPv4(text) || (text.includes(':') && isIPv6(text));
}
