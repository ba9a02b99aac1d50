import type { CaptureFrame } from '../../support/capture-file.ts';

/** A frame of which the time is known, and at which of two places it was captured. */
export interface PlacedFrame {
  readonly linkType: number;
  readonly bytes: Buffer;
  readonly origlen: number;
  /** ns since 1970 */
  readonly time: bigint;
  readonly place: number;
}

/** Where the parts of a TCP or UDP packet begin in a frame. */
export interface Parts {
  readonly ip: number;
  readonly version: 4 | 6;
  readonly tcp: boolean;
  readonly transport: number;
  readonly payload: number;
  /** Source and destination: address as hexadecimal digits, and port. */
  readonly ends: readonly [End, End];
}

interface End {
  readonly address: string;
  readonly port: number;
}

/** Length of the header below IP by link type: Ethernet, both cooked captures, BSD loopback, none. */
const LINK_HEADER: Readonly<Record<number, number>> = { 1: 14, 113: 16, 276: 20, 0: 4, 108: 4, 101: 0 };
const TCP = 6;
const UDP = 17;

/** @returns undefined for what is neither TCP nor UDP right in IP without extension headers, and for fragments' rests */
export function partsOf({ linkType, bytes }: Pick<PlacedFrame, 'linkType' | 'bytes'>): Parts | undefined {
  const ip = LINK_HEADER[linkType];
  if (ip === undefined || bytes.length < ip + 48) return undefined;
  const version = bytes.readUInt8(ip) >> 4;
  if (version !== 4 && version !== 6) return undefined;
  const protocol = bytes.readUInt8(ip + (version === 4 ? 9 : 6));
  if (protocol !== TCP && protocol !== UDP) return undefined;
  const transport = ip + (version === 4 ? (bytes.readUInt8(ip) & 15) * 4 : 40);
  if (bytes.length < transport + (protocol === TCP ? 20 : 8)) return undefined;
  const [from, size] = version === 4 ? [ip + 12, 4] : [ip + 8, 16];
  const end = (index: 0 | 1): End => ({
    address: bytes.toString('hex', from + index * size, from + (index + 1) * size),
    port: bytes.readUInt16BE(transport + index * 2),
  });
  const header = protocol === TCP ? (bytes.readUInt8(transport + 12) >> 4) * 4 : 8;
  // Behind a changed length of the header there may be no payload.
  const payload = Math.min(bytes.length, transport + Math.max(header, 20 * Number(protocol === TCP)));
  const ends = [end(0), end(1)] as const;
  return { ip, version, tcp: protocol === TCP, transport, payload, ends };
}

/** A capture's connections, each with its first packets: TCP and UDP by addresses and ports. */
export function connectionsOf(frames: readonly CaptureFrame[], packets: number): PlacedFrame[][] {
  const connections = new Map<string, PlacedFrame[]>();
  for (const { linkType, bytes, origlen, time } of frames) {
    const parts = partsOf({ linkType, bytes });
    if (parts === undefined || time === undefined) continue;
    const ends = parts.ends.map(({ address, port }) => `${address} ${port}`).sort();
    const key = `${parts.tcp} ${ends.join(' ')}`;
    const connection = connections.get(key) ?? [];
    connections.set(key, connection);
    if (connection.length < packets) connection.push({ linkType, bytes, origlen, time, place: 0 });
  }
  return [...connections.values()];
}

/** Between sequence numbers of two altered connections: odd, and more than a connection has bytes. */
const SEQUENCE_APART = 7_000_003;
/** The first byte of IPv4 addresses of altered connections' clients; servers on the loopback interface have it too. */
const ALTERED = 23;

/**
 * The frame with a client of its own: 23.x.y.1 or 2001:db8:xy::1, of which the variant's number is x, y.
 * The client is the end with the higher port. A server on the loopback interface would not be reached from there: it becomes 23.0.0.1.
 */
export function withClient(frame: PlacedFrame, variant: number): PlacedFrame {
  const parts = partsOf(frame);
  if (parts === undefined) return frame;
  const { ip, version, tcp, transport, ends } = parts;
  const bytes = Buffer.from(frame.bytes);
  if (tcp) {
    // Sequence numbers of its own as well: with the same ones it would be another leg of the same connection, behind NAT.
    for (const at of [transport + 4, transport + 8]) {
      bytes.writeUInt32BE((bytes.readUInt32BE(at) + variant * SEQUENCE_APART) >>> 0, at);
    }
  }
  const client = ends[0].port >= ends[1].port ? 0 : 1;
  const write = (end: number, number: number) => {
    if (version === 4) bytes.writeUInt32BE(((ALTERED << 24) | (number << 8) | 1) >>> 0, ip + 12 + end * 4);
    else bytes.write(`20010db8${number.toString(16).padStart(4, '0')}${'0'.repeat(19)}1`, ip + 8 + end * 16, 'hex');
  };
  write(client, variant);
  if (/^7f|^0{31}1$/.test(ends[1 - client]?.address ?? '')) write(1 - client, 0);
  return { ...frame, bytes };
}

/** The variant whose client one of these addresses is; 0 for none. */
export function variantOf(text: string): number {
  for (const [, high, low, six] of text.matchAll(/\b(?:23\.(\d+)\.(\d+)\.1|2001:db8:([0-9a-f]+)::1)\b/g)) {
    const number = six === undefined ? Number(high) * 256 + Number(low) : Number.parseInt(six, 16);
    if (number > 0) return number;
  }
  return 0;
}
