import { endMarker, interfaceDescription, interfaceStatistics, sectionHeader } from '../../src/wire/pcapng-write.ts';
import { BUILT_EPOCH_NS } from './built-capture.ts';

/** A packet of a capture. */
export interface BlockPacket {
  readonly interfaceId: number;
  /** ns since 1970 */
  readonly time: bigint;
  /** What was captured of it. */
  readonly bytes: Buffer;
  /** Bytes that it had; as many as were captured unless set. */
  readonly length?: number;
}

/** An Enhanced Packet Block without options (draft-ietf-opsawg-pcapng, section 4.3). */
export function packetBlock({ interfaceId, time, bytes, length = bytes.length }: BlockPacket): Buffer {
  const block = Buffer.alloc(32 + Math.ceil(bytes.length / 4) * 4);
  block.writeUInt32LE(6, 0);
  block.writeUInt32LE(block.length, 4);
  block.writeUInt32LE(interfaceId, 8);
  block.writeUInt32LE(Number(time >> 32n), 12);
  block.writeUInt32LE(Number(time & 0xffff_ffffn), 16);
  block.writeUInt32LE(bytes.length, 20);
  block.writeUInt32LE(length, 24);
  bytes.copy(block, 28);
  block.writeUInt32LE(block.length, block.length - 4);
  return block;
}

/** A pcapng file of Ethernet frames in this order. Times: ms. @param dropped by interface, what its capture says it missed */
export function pcapngBlocks(
  interfaces: readonly string[],
  frames: readonly { readonly interfaceId: number; readonly at: number; readonly bytes: Buffer }[],
  dropped: readonly number[] = [],
): Buffer {
  const packets = frames.map(({ interfaceId, at, bytes }) =>
    packetBlock({ interfaceId, time: BUILT_EPOCH_NS + BigInt(Math.round(at * 1e6)), bytes }),
  );
  const described = interfaces.map((name) => {
    const node = /^[^/]+\/([a-z]+)/.exec(name)?.[1] ?? 'n';
    return interfaceDescription({ linkType: 1, snaplen: 262_144, name, description: `node=node-${node}` });
  });
  const end = endMarker({ version: 1, reason: 'user', packets: interfaces.map(() => 0) });
  const counts = dropped.map((droppedByKernel, interfaceId) => {
    const times = { time: BUILT_EPOCH_NS, startTime: BUILT_EPOCH_NS, endTime: BUILT_EPOCH_NS };
    return interfaceStatistics({ interfaceId, ...times, received: 0, droppedByKernel, captured: 0 });
  });
  return Buffer.concat([sectionHeader('test'), ...described, ...packets, ...counts, end]);
}
