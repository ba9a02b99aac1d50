import { describe, expect, it } from 'vitest';
import { STOP } from '../../src/analyze/layers/layer.ts';
import { LAYERS_MAXIMUM } from '../../src/analyze/limits.ts';
import { decodePacket, PacketView } from '../../src/analyze/packet/packet.ts';
import { describePacket } from '../../src/analyze/record/describe.ts';
import { Colours } from '../../src/view/colour.ts';
import { packetLine } from '../../src/view/packet-line.ts';
import { readCaptureFile } from '../support/capture-file.ts';
import { captureFiles } from '../support/captures.ts';
import { Random } from '../support/random.ts';

const SEED = 20_260_703;
/** Of one file; the long ones are of one kind throughout. */
const FRAMES_PER_FILE = 25;
const MUTATIONS_PER_FRAME = 4;
/** Bytes around a packet that decoding must not look at. */
const MARGIN = 64;

const TIMEOUT_MS = 600_000;

const files = captureFiles();
const style = { label: 'shop/web-1', colours: new Colours(false) };

describe('any bytes are valid input', () => {
  it.skipIf(files.length === 0)(
    'every capture, whole, cut and with bytes changed',
    { timeout: TIMEOUT_MS },
    async () => {
      const random = new Random(SEED);
      let count = 0;
      for (const file of files) {
        const frames = (await readCaptureFile(file)) ?? [];
        for (const { bytes, origlen, linkType } of frames.slice(0, FRAMES_PER_FILE)) {
          check(bytes, origlen, linkType);
          for (let mutation = 0; mutation < MUTATIONS_PER_FRAME; mutation += 1) {
            check(bytes.subarray(0, random.below(bytes.length + 1)), origlen, linkType);
            check(changed(random, bytes), origlen, linkType);
          }
          count += 1 + 2 * MUTATIONS_PER_FRAME;
        }
      }
      console.log(`decoded ${count} packets of ${files.length} files, seed ${SEED}`);
      expect(count).toBeGreaterThan(files.length);
    },
  );

  it('random bytes on every link type', { timeout: TIMEOUT_MS }, () => {
    const random = new Random(SEED);
    for (let round = 0; round < 20_000; round += 1) {
      const data = Buffer.from(Array.from({ length: random.below(120) }, () => random.below(256)));
      check(data, random.below(2000), [0, 1, 101, 108, 113, 228, 229, 276, 65_535, 100_000][round % 10] ?? 0);
    }
  });

  it('an endless chain of headers ends at the limit', () => {
    const tags = Buffer.concat([Buffer.alloc(12), Buffer.alloc(4 * 200, Uint8Array.of(0x81, 0x00, 0x00, 0x01))]);
    const view = decoded(tags, 0, tags.length, tags.length, 1);
    expect(view.layerCount).toBe(LAYERS_MAXIMUM);
    expect(view.stopped).toBe(STOP.limit);
  });
});

function changed(random: Random, data: Buffer): Buffer {
  const copy = Buffer.from(data);
  // Headers are in front: that is where a changed byte tells.
  const reach = Math.min(copy.length, 96);
  for (let count = 1 + random.below(4); count > 0 && reach > 0; count -= 1)
    copy[random.below(reach)] = random.below(256);
  return copy;
}

/** Decode the packet between bytes of two kinds: whatever is found must be the same, and inside. */
function check(data: Buffer, origlen: number, linkType: number): void {
  const facts = [0x00, 0xff].map((filler) => {
    const around = Buffer.alloc(data.length + 2 * MARGIN, filler);
    data.copy(around, MARGIN);
    const view = decoded(around, MARGIN, data.length, origlen, linkType);
    const end = MARGIN + data.length;
    const offsets = [...view.layerOffsets.subarray(0, view.layerCount), view.cursor, view.end];
    if (offsets.some((offset) => offset < MARGIN || offset > end) || view.end > view.wireEnd) {
      throw new Error(`outside of the packet: ${JSON.stringify(offsets)} in ${data.toString('hex')}`);
    }
    return `${packetLine(describePacket(view), style)} ${offsets} ${view.layerNumbers.subarray(0, view.layerCount)}`;
  });
  if (facts[0] !== facts[1])
    throw new Error(`read outside of the packet: ${facts.join(' | ')} ${data.toString('hex')}`);
}

function decoded(bytes: Buffer, offset: number, caplen: number, origlen: number, linkType: number): PacketView {
  const view = new PacketView();
  view.set(bytes, offset, caplen, origlen, 0, 0, 0, linkType, 0);
  decodePacket(view);
  return view;
}
