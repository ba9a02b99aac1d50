import { u8 } from '../../bytes.ts';
import type { Likeness } from '../protocol.ts';
import { namedOnUdp } from './silent.ts';

/** Bytes of a header (RFC 5905, section 7.3) and of a control message's (RFC 9327). */
const HEADER = 48;
const CONTROL_HEADER = 12;
const MODE = { active: 1, passive: 2, client: 3, server: 4, broadcast: 5, control: 6 } as const;
const STRATUM_MAXIMUM = 16;

/** Few of its bits are fixed: without its port nothing is taken for it. */
function likeness(bytes: Uint8Array, start: number, end: number, hinted: boolean): Likeness {
  if (!hinted || end - start < CONTROL_HEADER) return 'no';
  const first = u8(bytes, start);
  const version = (first >> 3) & 7;
  const mode = first & 7;
  if (version < 1 || version > 4) return 'no';
  // Bit 7 of a control message's second byte shows that it is a response.
  if (mode === MODE.control) return (u8(bytes, start + 1) & 0x80) === 0 ? 'client' : 'server';
  if (end - start < HEADER || u8(bytes, start + 1) > STRATUM_MAXIMUM) return 'no';
  if (mode === MODE.active || mode === MODE.client) return 'client';
  return mode === MODE.passive || mode === MODE.server || mode === MODE.broadcast ? 'server' : 'no';
}

/** NTP (RFC 5905). */
export const ntp = namedOnUdp({ name: 'ntp', title: 'NTP', ports: [123], probe: likeness });
