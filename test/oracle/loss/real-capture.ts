import { endMarker, interfaceDescription, sectionHeader } from '../../../src/wire/pcapng-write.ts';
import { packetBlock } from '../../support/packet-blocks.ts';
import type { Random } from '../../support/random.ts';

/** A packet of a capture file. */
export interface RealPacket {
  /** The namespace it was captured in: 0 the client's, 1 the server's. */
  readonly place: number;
  /** ns since 1970. */
  readonly time: bigint;
  readonly frame: Buffer;
}

const PCAP_NANOSECONDS = 0xa1b23c4d;
const PCAP_HEADER = 24;
const RECORD_HEADER = 16;

/** The packets of a pcap file that tcpdump wrote on this machine with `--time-stamp-precision=nano`. */
export function packetsOf(pcap: Buffer, place: number): RealPacket[] {
  if (pcap.readUInt32LE(0) !== PCAP_NANOSECONDS) throw new Error('not a little-endian pcap file with nanoseconds');
  const packets: RealPacket[] = [];
  for (let at = PCAP_HEADER; at + RECORD_HEADER <= pcap.length; ) {
    const time = BigInt(pcap.readUInt32LE(at)) * 1_000_000_000n + BigInt(pcap.readUInt32LE(at + 4));
    const length = pcap.readUInt32LE(at + 8);
    const start = at + RECORD_HEADER;
    packets.push({ place, time, frame: pcap.subarray(start, start + length) });
    at = start + length;
  }
  return packets;
}

/** What is left when packets are taken out: at random, in bursts, or of one direction; of each place apart. */
export function thinned(packets: readonly RealPacket[], random: Random): RealPacket[] {
  const perMille = random.below(200);
  const kind = (['random', 'bursts', 'one direction'] as const)[random.below(3)];
  const side = random.below(2);
  const burst = [0, 0];
  return packets.filter((packet) => {
    const left = burst[packet.place] ?? 0;
    const isHit = random.below(1_000) < perMille;
    if (kind === 'random') return !isHit;
    if (kind === 'one direction') return !isHit || (packet.frame[29] ?? 0) % 2 !== side;
    if (left > 0) burst[packet.place] = left - 1;
    else if (random.below(4_000) < perMille) burst[packet.place] = 1 + random.below(8);
    return left === 0;
  });
}

/** A pcapng file of packets; each place is an interface. */
export function pcapngOf(packets: readonly RealPacket[]): Buffer {
  const described = [0, 1].map((index) =>
    interfaceDescription({ linkType: 1, snaplen: 262_144, name: `shop/pod-${index}/eth0`, description: '' }),
  );
  const blocks = packets.map(({ place, time, frame }) => packetBlock({ interfaceId: place, time, bytes: frame }));
  const end = endMarker({ version: 1, reason: 'user', packets: [0, 0] });
  return Buffer.concat([sectionHeader('test'), ...described, ...blocks, end]);
}
