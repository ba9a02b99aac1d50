import { pcapFileHeader } from '../../src/wire/pcap-write.ts';

/** An IPv4 packet between 10.0.0.1 (side 0) and 10.0.0.2 (side 1). */
export interface BuiltDatagram {
  readonly side?: 0 | 1;
  readonly identification?: number;
  /** Of UDP, between port 40000 of side 0 and `port` of side 1. */
  readonly payload: Uint8Array | string;
  readonly port?: number;
  /** An ICMP error about a packet that the other side sent: port unreachable. */
  readonly about?: Uint8Array;
  /** µs since the capture's beginning, less than a second. */
  readonly at: number;
}

const ETHERNET = 14;
const IPV4 = 20;

/** Ethernet, IPv4, UDP or ICMP. */
export function datagramFrame({
  side = 0,
  identification = 0,
  payload,
  port = 8125,
  about,
}: Omit<BuiltDatagram, 'at'>): Buffer {
  const above = Buffer.alloc(8);
  if (about === undefined) {
    const length = Buffer.byteLength(payload);
    above.writeUInt16BE(side === 0 ? 40_000 : port, 0);
    above.writeUInt16BE(side === 0 ? port : 40_000, 2);
    above.writeUInt16BE(8 + length, 4);
  } else above.set([3, 3]);
  const carried = Buffer.concat([above, about?.subarray(ETHERNET) ?? Buffer.from(payload)]);
  const frame = Buffer.alloc(ETHERNET + IPV4);
  frame.writeUInt16BE(0x0800, 12);
  frame[14] = 0x45;
  frame.writeUInt16BE(IPV4 + carried.length, 16);
  frame.writeUInt16BE(identification, 18);
  frame[22] = 64;
  frame[23] = about === undefined ? 17 : 1;
  frame.set([10, 0, 0, 1 + side, 10, 0, 0, 2 - side], 26);
  return Buffer.concat([frame, carried]);
}

/** A pcap file of these datagrams, in this order. */
export function datagramPcap(datagrams: readonly BuiltDatagram[]): Buffer {
  const records = datagrams.flatMap((datagram) => {
    const frame = datagramFrame(datagram);
    const record = Buffer.alloc(16);
    record.writeUInt32LE(1, 0);
    record.writeUInt32LE(datagram.at * 1000, 4);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    return [record, frame];
  });
  return Buffer.concat([pcapFileHeader(1, 65_535), ...records]);
}
