import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { endMarker, interfaceDescription, sectionHeader } from '../../../src/wire/pcapng-write.ts';
import { type CaptureFrame, captureFrames } from '../../support/capture-file.ts';
import { packetBlock } from '../../support/packet-blocks.ts';
import { Random } from '../../support/random.ts';
import { linesOfForm, type RecordedForm } from '../../support/recorded-forms.ts';
import { type Altered, altered, headers } from './alterations.ts';
import type { PlacedFrame } from './frames.ts';
import { type Stated, statementsOf } from './statements.ts';

/** Packets of a capture that are taken, from its first on. */
const PACKETS = 250;
/** Alterations of a capture; 0 is as it was captured. */
const VARIANTS = 6;
/** Forms whose analysis takes a way of its own, beside those that get all events. Each costs an analysis. */
const ALONE: readonly RecordedForm[] = [
  ['trace', 'json'],
  ['summary-state', 'text'],
  ['packets', 'text'],
];
const TOGETHER = ['json', 'flows', 'findings', 'map'];

const ANALYZE = join(import.meta.dirname, '..');
const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const NAMES = 4;

/** What is stated of an altered capture: records of events and connections, and what each form printed. */
export interface StatedCapture {
  readonly name: string;
  readonly how: readonly string[];
  readonly stated: readonly Stated[];
}

/** Captures of several connections, of places and layers: each a file of one section, by name. */
export function wholeCaptures(): ReadonlyMap<string, string> {
  const paths = globSync('{engine,flow,layers,trace}/captures/**/*.{pcap,pcapng}', { cwd: ANALYZE }).sort();
  const one = paths.filter((path) => preambleOf(readFileSync(join(ANALYZE, path))) !== undefined);
  return new Map(one.map((path) => [basename(path).split('.')[0] as string, join(ANALYZE, path)]));
}

/** What is stated of each altered form of a capture. */
export async function statedCaptures(path: string): Promise<StatedCapture[]> {
  const bytes = readFileSync(path);
  const preamble = preambleOf(bytes) ?? [];
  const frames = (captureFrames(bytes) ?? []).slice(0, PACKETS).flatMap(placed);
  const captures: StatedCapture[] = [];
  for (let variant = 0; variant < VARIANTS; variant += 1) {
    const { frames: packets, how } = alterationOf(frames, variant, path.includes('/layers/'));
    const capture = Buffer.concat([
      ...preamble,
      ...packets.map(({ place, time, bytes: own, origlen }) =>
        packetBlock({ interfaceId: place, time, bytes: own, length: Math.max(own.length, origlen) }),
      ),
      endMarker({ version: 1, reason: 'user', packets: [] }),
    ]);
    captures.push({ name: String(variant), how, stated: await statedOf(capture) });
  }
  return captures;
}

async function statedOf(capture: Buffer): Promise<readonly Stated[]> {
  const stated = [...(await statementsOf(TOGETHER, capture))];
  for (const form of ALONE) {
    for (const line of await linesOfForm(form, capture)) stated.push({ form: form.join(' '), line });
  }
  return stated;
}

function alterationOf(frames: readonly PlacedFrame[], variant: number, ofLayers: boolean): Altered {
  if (variant === 0) return { frames, how: [] };
  // The others change nothing below TCP and UDP.
  return (ofLayers || variant % 3 === 0 ? headers : altered)(frames, new Random(variant * 7919));
}

function placed({ linkType, bytes, origlen, time, interfaceId }: CaptureFrame): PlacedFrame[] {
  return time === undefined ? [] : [{ linkType, bytes, origlen, time, place: interfaceId }];
}

/** What stands before the packets: of pcap two interfaces of its link type. @returns undefined of a file with several sections */
function preambleOf(bytes: Buffer): Uint8Array[] | undefined {
  if (bytes.readUInt32BE(0) !== SECTION) {
    const linkType = captureFrames(bytes)?.[0]?.linkType ?? 1;
    const described = ['shop/web/eth0', 'shop/db/eth0'].map((name) =>
      interfaceDescription({ linkType, snaplen: 262_144, name, description: '' }),
    );
    return [sectionHeader('test'), ...described];
  }
  const blocks: Uint8Array[] = [];
  for (let at = 0; at + 12 <= bytes.length; at += bytes.readUInt32LE(at + 4)) {
    const type = bytes.readUInt32LE(at);
    if (type === SECTION && at > 0) return undefined;
    if (type === SECTION || type === INTERFACE || type === NAMES) {
      blocks.push(bytes.subarray(at, at + bytes.readUInt32LE(at + 4)));
    }
  }
  return blocks;
}
