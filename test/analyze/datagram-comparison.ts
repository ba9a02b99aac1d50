import { relative } from 'node:path';
import { LAYERS } from '../../src/analyze/layers/index.ts';
import { Fragments } from '../../src/analyze/packet/fragments.ts';
import { decodePacket, PacketView } from '../../src/analyze/packet/packet.ts';
import { readCaptureFile } from '../support/capture-file.ts';
import { point, theirLayers } from './layer-comparison.ts';
import { layerFrames } from './layers-oracle.ts';
import { TSHARK_LAYER } from './tshark-layers.ts';

/** Datagrams put together of fragments, ksnoop against tshark: by which frame they are whole, their bytes and their layers. */

const FIELDS = ['frame.number', 'frame.protocols', 'ip.reassembled.data', 'ipv6.reassembled.data'];
const PREFERENCES = ['ip.defragment:TRUE', 'ipv6.defragment:TRUE', 'ipv6.tso_support:TRUE'];
const FILTER = 'ip.reassembled.length or ipv6.reassembled.length';

interface Whole {
  readonly layers: string;
  /** In hexadecimal; ksnoop's with the headers in front of it. */
  readonly bytes: string;
}

export interface DatagramDifference {
  readonly file: string;
  readonly frame: number;
  readonly what: 'bytes' | 'layers';
  readonly tshark: string;
  readonly ksnoop: string;
}

export interface DatagramComparison {
  readonly agreed: number;
  readonly differences: readonly DatagramDifference[];
}

/** Undefined when the file holds no fragment. */
export async function compareDatagrams(root: string, path: string): Promise<DatagramComparison | undefined> {
  const file = relative(root, path);
  const ours = await wholes(path);
  if (ours === undefined) return undefined;
  const theirs = new Map<number, Whole>();
  for (const frame of (await layerFrames(path, FIELDS, PREFERENCES, FILTER)) ?? []) {
    const bytes = [...(frame.get('ip.reassembled.data') ?? []), ...(frame.get('ipv6.reassembled.data') ?? [])];
    const layers = theirLayers(frame.get('frame.protocols')?.[0] ?? '').join(':');
    theirs.set(Number(frame.get('frame.number')?.[0]), { layers, bytes: bytes.at(-1) ?? '' });
  }
  let agreed = 0;
  const differences: DatagramDifference[] = [];
  for (const frame of new Set([...ours.keys(), ...theirs.keys()])) {
    const our = ours.get(frame);
    const their = theirs.get(frame);
    // The packet around was whole, the one within is still a fragment: nothing is to be had yet.
    if (our === undefined && /:ip(v6\.fraghdr)?$/.test(their?.layers ?? '')) continue;
    const same = { bytes: their !== undefined && (our?.bytes.endsWith(their.bytes) ?? false), layers: false };
    same.layers = our?.layers === their?.layers;
    for (const what of ['bytes', 'layers'] as const) {
      if (same[what]) agreed += 1;
      else differences.push({ file, frame, what, tshark: their?.[what] ?? 'none', ksnoop: our?.[what] ?? 'none' });
    }
  }
  return { agreed, differences };
}

/** By frame; undefined without any fragment. */
async function wholes(path: string): Promise<Map<number, Whole> | undefined> {
  const fragments = new Fragments();
  const packet = new PacketView();
  const found = new Map<number, Whole>();
  let any = false;
  for (const frame of (await readCaptureFile(path)) ?? []) {
    point(packet, frame);
    decodePacket(packet);
    if (!packet.moreFragments && packet.fragmentOffset === 0) continue;
    any = true;
    const whole = fragments.add(packet);
    if (whole === undefined) continue;
    const names = Array.from(whole.layerNumbers.subarray(0, whole.layerCount), (number) => LAYERS[number]?.name ?? '?');
    found.set(frame.number, {
      layers: names.map((name) => TSHARK_LAYER[name] ?? name).join(':'),
      bytes: Buffer.from(whole.bytes.subarray(0, whole.caplen)).toString('hex'),
    });
  }
  return any ? found : undefined;
}
