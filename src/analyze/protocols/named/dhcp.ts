import { i32, u8, u16 } from '../../bytes.ts';
import type { Likeness } from '../protocol.ts';
import { namedOnUdp } from './silent.ts';

/** Of BOOTP's fixed part (RFC 951), behind which DHCP has its magic cookie (RFC 2131, section 3). */
const COOKIE_AT = 236;
const COOKIE = 0x63825363;
const OP = { request: 1, reply: 2 } as const;
/** DHCPv6 (RFC 8415): types of messages, those of servers, and the number of the last option that IANA has given out. */
const TYPE_MAXIMUM = 36;
const SERVERS: ReadonlySet<number> = new Set([2, 7, 10, 13, 15, 17, 23]);
const OPTION_MAXIMUM = 160;
const PORTS_4 = [67, 68];
const PORTS_6 = [546, 547];

function likeness4(bytes: Uint8Array, start: number, end: number): Likeness {
  if (end - start < COOKIE_AT + 4 || i32(bytes, start + COOKIE_AT) !== COOKIE) return 'no';
  const op = u8(bytes, start);
  if (u8(bytes, start + 2) > 20) return 'no';
  return op === OP.request ? 'client' : op === OP.reply ? 'server' : 'no';
}

function likeness6(bytes: Uint8Array, start: number, end: number, hinted: boolean): Likeness {
  const type = u8(bytes, start);
  if (!hinted || type === 0 || type > TYPE_MAXIMUM) return 'no';
  // Those of relays have addresses before their options.
  const options = start + (type === 12 || type === 13 ? 34 : 4);
  if (end - options < 4) return end >= options ? side(type) : 'no';
  const option = u16(bytes, options);
  return option > 0 && option <= OPTION_MAXIMUM && options + 4 + u16(bytes, options + 2) <= end ? side(type) : 'no';
}

function side(type: number): Likeness {
  return SERVERS.has(type) ? 'server' : 'client';
}

/** DHCP (RFC 2131). */
export const dhcp = namedOnUdp({ name: 'dhcp', title: 'DHCP', ports: PORTS_4, probe: likeness4 });

/** DHCPv6 (RFC 8415). */
export const dhcp6 = namedOnUdp({ name: 'dhcpv6', title: 'DHCPv6', ports: PORTS_6, probe: likeness6 });
