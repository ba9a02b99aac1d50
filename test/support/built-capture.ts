import { pcapFileHeader } from '../../src/wire/pcap-write.ts';
import { endMarker, interfaceDescription, sectionHeader } from '../../src/wire/pcapng-write.ts';

/** A TCP segment of a connection between 10.0.0.1:40000 (side 0) and 10.0.0.2:80 (side 1). */
export interface BuiltSegment {
  readonly side: 0 | 1;
  /** uint32 */
  readonly sequence: number;
  readonly acknowledgment?: number;
  /** F S R P . as tcpdump has them; `.` when nothing is said. */
  readonly flags?: string;
  readonly payload?: Uint8Array | string;
  readonly window?: number;
  /** Milliseconds since the capture's beginning. */
  readonly at: number;
  readonly interfaceId?: number;
  /** Options, whole words. */
  readonly options?: Uint8Array;
  /** Bytes kept of the frame. */
  readonly caplen?: number;
  readonly ports?: readonly [number, number];
  /** IPv4's identification; 0 when nothing is said. */
  readonly identification?: number;
  /** Into or out of the interface's host; only in pcapng. */
  readonly direction?: 'in' | 'out';
}

const FLAG_BITS: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, P: 8, '.': 16 };
export const BUILT_EPOCH_NS = 1_700_000_000_000_000_000n;

/** Ethernet, IPv4, TCP. */
export function tcpFrame(segment: BuiltSegment): Buffer {
  const payload = Buffer.from(segment.payload ?? '');
  const options = Buffer.from(segment.options ?? []);
  const frame = Buffer.alloc(14 + 20 + 20 + options.length + payload.length);
  frame.writeUInt16BE(0x0800, 12);
  frame[14] = 0x45;
  frame.writeUInt16BE(frame.length - 14, 16);
  frame.writeUInt16BE(segment.identification ?? 0, 18);
  frame[22] = 64;
  frame[23] = 6;
  const hosts = [0x0a000001, 0x0a000002] as const;
  const [client, server] = segment.ports ?? [40_000, 80];
  frame.writeUInt32BE(hosts[segment.side], 26);
  frame.writeUInt32BE(hosts[segment.side === 0 ? 1 : 0], 30);
  frame.writeUInt16BE(segment.side === 0 ? client : server, 34);
  frame.writeUInt16BE(segment.side === 0 ? server : client, 36);
  frame.writeUInt32BE(segment.sequence >>> 0, 38);
  frame.writeUInt32BE((segment.acknowledgment ?? 0) >>> 0, 42);
  frame[46] = (5 + options.length / 4) << 4;
  frame[47] = [...(segment.flags ?? '.')].reduce((bits, letter) => bits | (FLAG_BITS[letter] ?? 0), 0);
  frame.writeUInt16BE(segment.window ?? 500, 48);
  options.copy(frame, 54);
  payload.copy(frame, 54 + options.length);
  return frame;
}

/** A pcap file of these segments, in this order. */
export function builtPcap(segments: readonly BuiltSegment[]): Buffer {
  const records = segments.flatMap((segment) => {
    const frame = tcpFrame(segment);
    const caplen = Math.min(frame.length, segment.caplen ?? frame.length);
    const record = Buffer.alloc(16);
    const time = BUILT_EPOCH_NS + BigInt(Math.round(segment.at * 1e6));
    record.writeUInt32LE(Number(time / 1_000_000_000n), 0);
    record.writeUInt32LE(Number(time % 1_000_000_000n), 4);
    record.writeUInt32LE(caplen, 8);
    record.writeUInt32LE(frame.length, 12);
    return [record, frame.subarray(0, caplen)];
  });
  return Buffer.concat([pcapFileHeader(1, 262_144), ...records]);
}

/** Enhanced Packet Blocks of these segments, each at the interface it names. */
export function builtBlocks(segments: readonly BuiltSegment[]): Buffer[] {
  return segments.map((segment) => {
    const frame = tcpFrame(segment);
    const padding = (4 - (frame.length % 4)) % 4;
    const flags = segment.direction === undefined ? 0 : segment.direction === 'in' ? 1 : 2;
    const block = Buffer.alloc(32 + frame.length + padding + (flags === 0 ? 0 : 12));
    const time = BUILT_EPOCH_NS + BigInt(Math.round(segment.at * 1e6));
    block.writeUInt32LE(6, 0);
    block.writeUInt32LE(block.length, 4);
    block.writeUInt32LE(segment.interfaceId ?? 0, 8);
    block.writeUInt32LE(Number(time >> 32n), 12);
    block.writeUInt32LE(Number(time & 0xffff_ffffn), 16);
    block.writeUInt32LE(frame.length, 20);
    block.writeUInt32LE(frame.length, 24);
    frame.copy(block, 28);
    if (flags !== 0) {
      block.writeUInt16LE(2, 28 + frame.length + padding);
      block.writeUInt16LE(4, 30 + frame.length + padding);
      block.writeUInt32LE(flags, 32 + frame.length + padding);
    }
    block.writeUInt32LE(block.length, block.length - 4);
    return block;
  });
}

/** A pcapng file of these segments, each at the interface it names. */
export function builtPcapng(segments: readonly BuiltSegment[], interfaces: readonly string[]): Buffer {
  const blocks = builtBlocks(segments);
  const described = interfaces.map((name) =>
    interfaceDescription({ linkType: 1, snaplen: 262_144, name, description: '' }),
  );
  const end = endMarker({ version: 1, reason: 'user', packets: interfaces.map(() => 0) });
  return Buffer.concat([sectionHeader('test'), ...described, ...blocks, end]);
}

/** SYN, SYN-ACK, ACK; the sides' next sequence numbers are `initial` + 1. */
export function handshake(initial: readonly [number, number], at = 0): BuiltSegment[] {
  return [
    { side: 0, sequence: initial[0], flags: 'S', at },
    { side: 1, sequence: initial[1], acknowledgment: initial[0] + 1, flags: 'S.', at: at + 1 },
    { side: 0, sequence: initial[0] + 1, acknowledgment: initial[1] + 1, at: at + 2 },
  ];
}
