// Makes one capture of several pods' as agents write it: join-pods.ts OUT.pcapng NAMESPACE/POD=FILE.pcap…, each on a node of its own.
import { readFileSync, writeFileSync } from 'node:fs';
import { endMarker, interfaceDescription, sectionHeader } from '../../../../../src/wire/pcapng-write.ts';
import { type BlockPacket, packetBlock } from '../../../../support/packet-blocks.ts';

/** The magic of a file with times in ns (draft-ietf-opsawg-pcap, section 4). */
const NANOSECONDS = 0xa1b23c4d;
const FILE_HEADER = 24;
const PACKET_HEADER = 16;

const [out = '', ...parts] = process.argv.slice(2);
const described: Uint8Array[] = [];
const packets: BlockPacket[] = [];
for (const [interfaceId, part] of parts.entries()) {
  const [pod = '', file = ''] = part.split('=');
  const bytes = readFileSync(file);
  const unit = bytes.readUInt32LE(0) === NANOSECONDS ? 1n : 1000n;
  const linkType = bytes.readUInt32LE(20) & 0xffff;
  const description = `node=node-${interfaceId} pod=${pod} uid=${interfaceId}`;
  described.push(interfaceDescription({ linkType, snaplen: 262_144, name: `${pod}/any`, description }));
  for (let at = FILE_HEADER; at + PACKET_HEADER <= bytes.length; ) {
    const start = at + PACKET_HEADER;
    at = start + bytes.readUInt32LE(start - 8);
    const seconds = BigInt(bytes.readUInt32LE(start - 16));
    const time = seconds * 1_000_000_000n + BigInt(bytes.readUInt32LE(start - 12)) * unit;
    packets.push({ interfaceId, time, bytes: bytes.subarray(start, at), length: bytes.readUInt32LE(start - 4) });
  }
}
packets.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
const end = endMarker({ version: 1, reason: 'user', packets: parts.map(() => 0) });
writeFileSync(out, Buffer.concat([sectionHeader('test'), ...described, ...packets.map(packetBlock), end]));
