import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';

/**
 * A reader of pcap and pcapng for tests alone, written apart from src/wire so that neither can hide the other's mistakes.
 * It takes whole files, and of a damaged one what can be read.
 */
export interface CaptureFrame {
  /** From 1, as tshark counts. */
  readonly number: number;
  readonly linkType: number;
  readonly interfaceId: number;
  readonly bytes: Buffer;
  readonly origlen: number;
  /** Nanoseconds since 1970; undefined where the file has none (Simple Packet Blocks). */
  readonly time: bigint | undefined;
  /** epb_flags, 0 without. */
  readonly flags: number;
}

/** The frames of a file, plain or gzipped; undefined when it is neither pcap nor pcapng. */
export async function readCaptureFile(path: string): Promise<CaptureFrame[] | undefined> {
  const bytes = await readFile(path);
  return captureFrames(bytes.readUInt16BE(0) === 0x1f8b ? gunzipSync(bytes) : bytes);
}

export function captureFrames(bytes: Buffer): CaptureFrame[] | undefined {
  if (bytes.length < 24) return undefined;
  switch (bytes.readUInt32BE(0)) {
    case 0x0a0d0d0a:
      return pcapngFrames(bytes);
    case 0xa1b2c3d4:
      return pcapFrames(bytes, numbers(bytes, false), 1000n);
    case 0xd4c3b2a1:
      return pcapFrames(bytes, numbers(bytes, true), 1000n);
    case 0xa1b23c4d:
      return pcapFrames(bytes, numbers(bytes, false), 1n);
    case 0x4d3cb2a1:
      return pcapFrames(bytes, numbers(bytes, true), 1n);
    default:
      return undefined;
  }
}

interface Numbers {
  u16(at: number): number;
  u32(at: number): number;
}

function numbers(bytes: Buffer, littleEndian: boolean): Numbers {
  return littleEndian
    ? { u16: (at) => bytes.readUInt16LE(at), u32: (at) => bytes.readUInt32LE(at) }
    : { u16: (at) => bytes.readUInt16BE(at), u32: (at) => bytes.readUInt32BE(at) };
}

function pcapFrames(bytes: Buffer, { u32 }: Numbers, unit: bigint): CaptureFrame[] {
  const linkType = u32(20) & 0xffff;
  const frames: CaptureFrame[] = [];
  let at = 24;
  while (at + 16 <= bytes.length) {
    const caplen = u32(at + 8);
    if (at + 16 + caplen > bytes.length) break;
    frames.push({
      number: frames.length + 1,
      linkType,
      interfaceId: 0,
      bytes: bytes.subarray(at + 16, at + 16 + caplen),
      origlen: u32(at + 12),
      time: BigInt(u32(at)) * 1_000_000_000n + BigInt(u32(at + 4)) * unit,
      flags: 0,
    });
    at += 16 + caplen;
  }
  return frames;
}

interface Interface {
  readonly linkType: number;
  readonly snaplen: number;
  /** Time stamps of this interface as nanoseconds. */
  nanoseconds(ticks: bigint): bigint;
}

function pcapngFrames(bytes: Buffer): CaptureFrame[] {
  const frames: CaptureFrame[] = [];
  let interfaces: Interface[] = [];
  let read = numbers(bytes, true);
  let at = 0;
  while (at + 12 <= bytes.length) {
    if (bytes.readUInt32BE(at) === 0x0a0d0d0a) {
      read = numbers(bytes, bytes.readUInt32LE(at + 8) === 0x1a2b3c4d);
      interfaces = [];
    }
    const type = read.u32(at);
    const length = read.u32(at + 4);
    if (length < 12 || at + length > bytes.length) break;
    if (type === 1) interfaces.push(interfaceOf(bytes, read, at, length));
    else if (type === 6 || type === 2 || type === 3) {
      const frame = packetOf(bytes, read, at, length, type, interfaces, frames.length + 1);
      if (frame === undefined) break;
      frames.push(frame);
    }
    at += length;
  }
  return frames;
}

function interfaceOf(bytes: Buffer, read: Numbers, at: number, length: number): Interface {
  let resolution = 6;
  let offset = 0n;
  options(read, at + 16, at + length - 4, (code, value) => {
    if (code === 9) resolution = bytes[value] ?? 6;
    if (code === 14) offset = BigInt(read.u32(value)) | (BigInt(read.u32(value + 4)) << 32n);
  });
  const perSecond = resolution & 0x80 ? 1n << BigInt(resolution & 0x7f) : 10n ** BigInt(resolution);
  return {
    linkType: read.u16(at + 8),
    snaplen: read.u32(at + 12),
    nanoseconds: (ticks) => (ticks * 1_000_000_000n) / perSecond + BigInt.asIntN(64, offset) * 1_000_000_000n,
  };
}

function packetOf(
  bytes: Buffer,
  read: Numbers,
  at: number,
  length: number,
  type: number,
  interfaces: readonly Interface[],
  number: number,
): CaptureFrame | undefined {
  const simple = type === 3;
  const interfaceId = simple ? 0 : type === 6 ? read.u32(at + 8) : read.u16(at + 8);
  const from = interfaces[interfaceId];
  if (from === undefined) return undefined;
  const start = at + (simple ? 12 : 28);
  const origlen = read.u32(at + (simple ? 8 : 24));
  const caplen = simple ? Math.min(origlen, from.snaplen || origlen, length - 16) : read.u32(at + 20);
  if (start + caplen > at + length - 4) return undefined;
  let flags = 0;
  if (!simple) {
    options(read, start + ((caplen + 3) & ~3), at + length - 4, (code, value) => {
      if (code === 2) flags = read.u32(value);
    });
  }
  const ticks = simple ? undefined : (BigInt(read.u32(at + 12)) << 32n) | BigInt(read.u32(at + 16));
  return {
    number,
    linkType: from.linkType,
    interfaceId,
    bytes: bytes.subarray(start, start + caplen),
    origlen,
    time: ticks === undefined ? undefined : from.nanoseconds(ticks),
    flags,
  };
}

function options(read: Numbers, start: number, end: number, onOption: (code: number, value: number) => void): void {
  let at = start;
  while (at + 4 <= end) {
    const code = read.u16(at);
    const length = read.u16(at + 2);
    if (code === 0 || at + 4 + length > end) return;
    onOption(code, at + 4);
    at += 4 + ((length + 3) & ~3);
  }
}
