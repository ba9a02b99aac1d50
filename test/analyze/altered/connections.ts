import { readFileSync } from 'node:fs';
import { endMarker, interfaceDescription, sectionHeader } from '../../../src/wire/pcapng-write.ts';
import { captureFrames } from '../../support/capture-file.ts';
import { packetBlock } from '../../support/packet-blocks.ts';
import { Random } from '../../support/random.ts';
import { type Altered, altered } from './alterations.ts';
import { connectionsOf, type PlacedFrame, withClient } from './frames.ts';

/** Packets of a connection that are taken, from its first on. */
const PACKETS = 40;
/** Altered connections of a capture; each of its first connections has the same number of them. */
const VARIANTS = 300;
const CONNECTIONS = 30;
/** Between the beginnings of two, at least. */
const APART = 2_000_000_000n;
const EPOCH = 1_700_000_000_000_000_000n;

/** One altered connection. */
export interface Variant {
  /** `2.17`: which connection of the capture, and which alteration of it; 0 is as it was captured. */
  readonly name: string;
  readonly how: readonly string[];
}

/** A capture of many alterations of the connections in one: each has a client of its own (withClient, from 1). */
export interface AlteredCapture {
  readonly bytes: Buffer;
  readonly variants: readonly Variant[];
}

/** @param path of a capture that has one link type */
export function alteredCapture(path: string): AlteredCapture {
  const connections = connectionsOf(captureFrames(readFileSync(path)) ?? [], PACKETS).slice(0, CONNECTIONS);
  const each = Math.ceil(VARIANTS / connections.length);
  const variants: Variant[] = [];
  const packets: PlacedFrame[] = [];
  let begin = EPOCH;
  for (const [index, connection] of connections.entries()) {
    for (let alteration = 0; alteration < each; alteration += 1) {
      const { frames, how } = alterationOf(connection, index, alteration);
      variants.push({ name: `${index}.${alteration}`, how });
      const first = connection[0]?.time ?? 0n;
      for (const frame of frames) {
        packets.push(withClient({ ...frame, time: frame.time - first + begin }, variants.length));
      }
      const last = connection.at(-1)?.time ?? 0n;
      begin += last - first + APART;
    }
  }
  return { bytes: pcapngOf(packets), variants };
}

function alterationOf(connection: readonly PlacedFrame[], index: number, alteration: number): Altered {
  if (alteration === 0) return { frames: connection, how: [] };
  return altered(connection, new Random(index * 100_003 + alteration));
}

function pcapngOf(frames: readonly PlacedFrame[]): Buffer {
  const linkType = frames[0]?.linkType ?? 1;
  const described = ['shop/web/eth0', 'shop/db/eth0'].map((name) =>
    interfaceDescription({ linkType, snaplen: 262_144, name, description: '' }),
  );
  const blocks = frames.map(({ place, time, bytes, origlen }) =>
    packetBlock({ interfaceId: place, time, bytes, length: Math.max(bytes.length, origlen) }),
  );
  const end = endMarker({ version: 1, reason: 'user', packets: described.map(() => 0) });
  return Buffer.concat([sectionHeader('test'), ...described, ...blocks, end]);
}
