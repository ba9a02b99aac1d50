import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { LAYERS } from '../../src/analyze/layers/index.ts';
import { decodePacket, PacketView } from '../../src/analyze/packet/packet.ts';
import { pcapFileHeader } from '../../src/wire/pcap-write.ts';
import { type CaptureFrame, captureFrames } from '../support/capture-file.ts';
import { CAPTURES, captureFiles } from '../support/captures.ts';
import type { Random } from '../support/random.ts';
import { point } from './layer-comparison.ts';
import { HANG_MS, survive } from './mutations.ts';

/** Captures as they are when a disk was full or tcpdump was told `-s`: cut anywhere, and every packet cut. */

/** In the middle of every header that is common, between them, and behind. */
export const SNAPLENS = [13, 20, 34, 47, 54, 66, 96, 150, 300];

export interface CutPlan {
  /** Bytes of a file that are looked at, whole packets. */
  readonly bytes: number;
  snaplens(random: Random): readonly number[];
  /** How often each file is cut anywhere. */
  readonly truncations: number;
}

/** Cut every capture and analyse it. @returns how much was looked at @throws where anything is not as it should be */
export async function cutAll(plan: CutPlan, random: Random): Promise<{ files: number; cuts: number; packets: number }> {
  const total = { files: 0, cuts: 0, packets: 0 };
  const analyse = (name: string, bytes: Buffer, frames: number) => {
    const began = performance.now();
    let packets = -1;
    try {
      packets = survive(bytes, total.cuts % 2 === 0).packets;
    } catch (cause) {
      throw new Error(name, { cause });
    }
    if (packets !== frames) throw new Error(`${name}: ${packets} of ${frames} packets`);
    if (performance.now() - began > HANG_MS) throw new Error(`${name}: hangs`);
    total.cuts += 1;
    total.packets += packets;
  };
  for (const path of captureFiles()) {
    const read = await readFile(path);
    const bytes = read[0] === 0x1f && read[1] === 0x8b ? gunzipSync(read) : read;
    const name = path.slice(CAPTURES.length + 1);
    const part = bytes.subarray(0, plan.bytes);
    const frames = captureFrames(part);
    if (frames === undefined) continue;
    total.files += 1;
    for (const snaplen of plan.snaplens(random)) {
      checkLayers(name, frames, snaplen);
      for (const alike of Object.values(Object.groupBy(frames, ({ linkType }) => linkType))) {
        analyse(`${name} with a snaplen of ${snaplen}`, recorded(alike ?? [], snaplen), alike?.length ?? 0);
      }
    }
    for (let round = 0; round < plan.truncations; round += 1) {
      const at = random.below(part.length + 1);
      const cut = part.subarray(0, at);
      analyse(`${name} cut at ${at}`, cut, captureFrames(cut)?.length ?? 0);
    }
  }
  return total;
}

/** A pcap file of these frames, each cut. */
function recorded(frames: readonly CaptureFrame[], snaplen: number): Buffer {
  const records = frames.flatMap(({ bytes, origlen, time = 0n }) => {
    const cut = bytes.subarray(0, snaplen);
    const header = Buffer.alloc(16);
    header.writeUInt32LE(Number((time / 1_000_000_000n) & 0xffff_ffffn), 0);
    header.writeUInt32LE(Number(time % 1_000_000_000n), 4);
    header.writeUInt32LE(cut.length, 8);
    header.writeUInt32LE(origlen, 12);
    return [header, cut];
  });
  return Buffer.concat([pcapFileHeader(frames[0]?.linkType ?? 1, snaplen), ...records]);
}

const whole = new PacketView();
const part = new PacketView();

/** Every layer that begins before the cut is still found. */
function checkLayers(name: string, frames: readonly CaptureFrame[], snaplen: number): void {
  for (const frame of frames) {
    point(whole, frame);
    decodePacket(whole);
    point(part, { ...frame, bytes: frame.bytes.subarray(0, snaplen) });
    decodePacket(part);
    for (let depth = 0; depth < whole.layerCount; depth += 1) {
      if ((whole.layerOffsets[depth] as number) >= snaplen) break;
      const [expected, found] = [whole, part].map((view) => LAYERS[view.layerNumbers[depth] as number]?.name);
      // What UDP carries is told by its words, which a cut may take away.
      if (depth > 0 && LAYERS[whole.layerNumbers[depth - 1] as number]?.name === 'udp') break;
      if (depth >= part.layerCount || expected !== found) {
        throw new Error(`${name}, frame ${frame.number}, snaplen ${snaplen}: ${expected} at ${depth}, found ${found}`);
      }
    }
  }
}
