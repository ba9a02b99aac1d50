import { decodeIcmp } from './icmp.ts';
import { IP_PROTOCOL } from './ip-protocol.ts';
import type { Layer } from './layer.ts';

/** RFC 4443. */
export const icmpv6 = {
  name: 'icmpv6',
  title: 'ICMPv6',
  ipProtocols: [IP_PROTOCOL.icmpv6],
  decode: decodeIcmp,
} as const satisfies Layer;
