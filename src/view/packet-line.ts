import type { Address, Endpoint, PacketDescription } from '../analyze/record/describe.ts';
import type { Colours } from './colour.ts';
import { sanitise } from './sanitise.ts';
import { timeText } from './time-text.ts';

export interface PacketLineStyle {
  /** Whose packet it is, `shop/web-1`; left out when undefined. */
  readonly label: string | undefined;
  readonly colours: Colours;
  /** Times are UTC; local unless set. */
  readonly utc?: boolean | undefined;
  /** Digits of a second's fraction; nine unless set. */
  readonly timeDigits?: number | undefined;
  /** What the packet alone shows above TCP or UDP: `HTTP GET /cart HTTP/1.1`. Sanitised here. */
  readonly info?: string | undefined;
  /** The name of an address (RFC 5952 text), or undefined. */
  readonly nameOf?: ((address: string) => string | undefined) | undefined;
}

/**
 * One packet as one line, without its line feed:
 * `14:03:07.123456789 shop/web-1 in  10.244.1.5:41234 > 10.244.2.7:80 TCP [S.] seq 1 ack 2 win 64240 len 0 length 74`
 */
export function packetLine(packet: PacketDescription, style: PacketLineStyle): string {
  const parts = [timeText(packet.time, style.utc, style.timeDigits)];
  if (style.label !== undefined) parts.push(style.colours.label(style.label, sanitise(style.label)));
  parts.push(packet.direction === undefined ? '-  ' : packet.direction.padEnd(3));
  const { source, destination } = packet;
  if (source !== undefined && destination !== undefined) {
    parts.push(endpointText(source, style), '>', endpointText(destination, style));
  }
  for (const word of packet.tunnels) parts.push(wordText(word, style));
  parts.push(packet.protocol);
  for (const word of packet.words) parts.push(wordText(word, style));
  if (style.info !== undefined) parts.push(style.colours.heading(sanitise(style.info)));
  if (packet.stopped !== undefined) parts.push(style.colours.aside(`[${packet.stopped}]`));
  parts.push(`length ${packet.length}`);
  if (packet.captured < packet.length) parts.push(`(${packet.captured} captured)`);
  return parts.join(' ');
}

function wordText(word: string | Address | Endpoint, style: PacketLineStyle): string {
  if (typeof word === 'string') return sanitise(word);
  return 'port' in word ? endpointText(word, style) : hostText(word, style);
}

function hostText({ address }: Address, { nameOf }: PacketLineStyle): string {
  const name = nameOf?.(address);
  return name === undefined ? address : sanitise(name);
}

/** `10.0.0.1:80`, `[fd00::1]:80`, `shop/web-1:80`. */
function endpointText(endpoint: Endpoint, style: PacketLineStyle): string {
  const host = hostText(endpoint, style);
  if (endpoint.port === undefined) return host;
  return host.includes(':') ? `[${host}]:${endpoint.port}` : `${host}:${endpoint.port}`;
}
