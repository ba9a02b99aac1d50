import { addressText } from '../../wire/address-text.ts';
import { nextHopMtu } from '../packet/icmp-quote.ts';
import type { PacketView } from '../packet/packet.ts';
import type { FieldTable } from '../protocols/protocol.ts';
import type { Notice } from './event.ts';
import { icmpText } from './icmp-text.ts';

/** What an ICMP error adds to the JSON. */
export const ICMP_FIELDS: FieldTable = {
  'icmp.type': { type: 'int', about: 'type of the error (RFC 792, RFC 4443)' },
  'icmp.code': { type: 'int', about: 'code of the error' },
  'icmp.from': { type: 'string', about: 'IP address of the router or host that sent it' },
  'icmp.mtu': { type: 'int', about: "the next hop's MTU, of packets that were too big" },
};

/** Stable codes of what an error means for the flow it quotes. */
function codeOf(packet: PacketView): string {
  const { icmpType } = packet;
  if (nextHopMtu(packet) >= 0) return 'ICMP_TOO_BIG';
  if (packet.ipVersion === 4) {
    if (icmpType === 3) return 'ICMP_UNREACHABLE';
    if (icmpType === 5) return 'ICMP_REDIRECT';
    if (icmpType === 11) return 'ICMP_TIME_EXCEEDED';
    return 'ICMP_ERROR';
  }
  if (icmpType === 1) return 'ICMP_UNREACHABLE';
  return icmpType === 3 ? 'ICMP_TIME_EXCEEDED' : 'ICMP_ERROR';
}

/**
 * Codes by which a host, a router before it, a firewall or a Service without endpoints refuses what a client asks for
 * (RFC 1812, RFC 4443). A host that is unreachable ends the attempt to connect to it as well.
 */
const REJECTIONS_V4: ReadonlySet<number> = new Set([1, 2, 3, 9, 10, 13]);
const REJECTIONS_V6: ReadonlySet<number> = new Set([1, 3, 4, 5, 6]);

/** Whether an ICMP error means that the quoted packet was refused, and not that there was no route to its network. */
export function isRejection({ ipVersion, icmpType, icmpCode }: PacketView): boolean {
  return ipVersion === 6
    ? icmpType === 1 && REJECTIONS_V6.has(icmpCode)
    : icmpType === 3 && REJECTIONS_V4.has(icmpCode);
}

/** An ICMP error as an event of the flow whose packet it quotes. @param packet decoded, an error @param now ns */
export function icmpNotice(packet: PacketView, now: number): Notice {
  const { bytes, sourceAddress, addressLength, icmpType, icmpCode } = packet;
  const version = packet.ipVersion === 6 ? 6 : 4;
  const from = addressText(bytes, sourceAddress, addressLength);
  const mtu = nextHopMtu(packet);
  const what = icmpText(version, icmpType, icmpCode);
  return {
    kind: 'event',
    protocol: version === 4 ? 'icmp' : 'icmpv6',
    code: codeOf(packet),
    time: now,
    from: undefined,
    failed: true,
    label: mtu < 0 ? `${what} from ${from}` : `${what}, MTU ${mtu}, from ${from}`,
    fields: { icmp: { type: icmpType, code: icmpCode, from, mtu: mtu < 0 ? undefined : mtu } },
  };
}
