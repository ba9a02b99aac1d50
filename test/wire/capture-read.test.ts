// Every capture, cut into any portions, gives the packets that a reader written apart from ours finds in it.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { CaptureFramer } from '../../src/wire/capture-read.ts';
import { anyPcapng } from '../support/built-blocks.ts';
import { type CaptureFrame, captureFrames } from '../support/capture-file.ts';
import { captureFiles } from '../support/captures.ts';
import { Random } from '../support/random.ts';

interface Framed {
  readonly frames: readonly string[];
  readonly framer: CaptureFramer;
  readonly error: unknown;
}

const YEAR_2554 = 1n << 64n;

function line(bytes: Uint8Array, origlen: number, linkType: number, time: bigint, flags: number): string {
  return [linkType, origlen, time, flags, Buffer.from(bytes).toString('hex')].join(' ');
}

/** What is known of a frame; a time that is not in the file or not in 64 bits is none. */
function theirs({ bytes, origlen, linkType, time, flags }: CaptureFrame): string {
  return line(bytes, origlen, linkType, time ?? 0n, flags);
}

function framed(bytes: Uint8Array, portion: () => number): Framed {
  const frames: string[] = [];
  const linkTypes: number[] = [];
  const framer = new CaptureFramer({
    interface: (id, { linkType }) => {
      linkTypes[id] = linkType;
    },
    packet: (bytes, offset, caplen, origlen, high, low, id, flags) => {
      const time = (BigInt(high) << 32n) | BigInt(low);
      frames.push(line(bytes.subarray(offset, offset + caplen), origlen, linkTypes[id] ?? -1, time, flags));
    },
  });
  try {
    for (let at = 0; at < bytes.length; ) {
      const size = portion();
      framer.push(Uint8Array.from(bytes.subarray(at, at + size)));
      at += size;
    }
    return { frames, framer, error: undefined };
  } catch (error) {
    return { frames, framer, error };
  }
}

const whole = () => 1 << 30;

describe('pcapng of any blocks, sections, byte orders and resolutions', () => {
  test.each(Array.from({ length: 60 }, (_, seed) => seed))('seed %i', (seed) => {
    const random = new Random(seed);
    const bytes = anyPcapng(random);
    const expected = (captureFrames(bytes) ?? []).filter(({ time }) => (time ?? 0n) < YEAR_2554).map(theirs);
    const all = framed(bytes, whole);
    expect(all.error).toBeUndefined();
    const within = all.frames.filter((_, at) => (captureFrames(bytes)?.[at]?.time ?? 0n) < YEAR_2554);
    expect(within).toEqual(expected);
    expect(all.framer.pending).toBe(0);
    for (const portion of [() => 1, () => 1 + random.below(40), () => 1 + random.below(5_000)]) {
      const cut = framed(bytes, portion);
      expect(cut.frames).toEqual(all.frames);
      expect([cut.framer.consumed, cut.framer.pending]).toEqual([bytes.length, 0]);
    }
  });

  test('cut anywhere, every packet before comes, and where it stopped is known', () => {
    const bytes = anyPcapng(new Random(11));
    const all = framed(bytes, whole).frames;
    for (let length = 0; length < bytes.length; length += 1) {
      const { frames, framer, error } = framed(bytes.subarray(0, length), whole);
      expect(error).toBeUndefined();
      expect(frames).toEqual(all.slice(0, frames.length));
      expect(framer.consumed + framer.pending).toBe(length);
      expect(captureFrames(bytes.subarray(0, length))?.length ?? 0).toBe(frames.length);
    }
  });
});

const files = captureFiles();

test.skipIf(files.length === 0)('captures of others: the same packets as the other reader, in any portions', () => {
  let compared = 0;
  for (const [index, path] of files.entries()) {
    if (index % 7 !== 0) continue;
    const raw = readFileSync(path);
    if (raw.length < 24 || raw.length > 2_000_000) continue;
    const bytes = raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw) : raw;
    const expected = captureFrames(bytes);
    if (expected === undefined) continue;
    const random = new Random(index);
    const all = framed(bytes, whole);
    // The other reader stops at damage without a word, ours with an error that names the byte.
    if (all.error !== undefined) expect(all.error).toMatchObject({ message: expect.stringMatching(/ at byte \d+/) });
    const known = expected.slice(0, all.frames.length).map((frame) => theirs({ ...frame, linkType: 0 }));
    const ours = all.frames.map((text) => text.replace(/^\d+ /, '0 '));
    const dated = (texts: readonly string[]) => texts.filter((_, at) => (expected[at]?.time ?? 0n) < YEAR_2554);
    expect(dated(ours), path).toEqual(dated(known));
    if (all.error === undefined) expect(all.frames.length, path).toBe(expected.length);
    const cut = framed(bytes, () => 1 + random.below(3_000));
    expect(cut.frames, path).toEqual(all.frames);
    expect(String(cut.error), path).toBe(String(all.error));
    compared += expected.length;
  }
  expect(compared).toBeGreaterThan(1_000);
});

test.each([
  ['root:x:0:0\n', 'it starts with "root"'],
  ['\x1b[2J...', 'it starts with 1b5b324a'],
  ['"\\\n!', 'it starts with 225c0a21'],
])('a file that is no capture is named by its start, which is no text of a terminal: %j', (text, words) => {
  const framer = new CaptureFramer({ interface: () => {}, packet: () => {} });
  expect(() => framer.push(Buffer.from(text))).toThrow(words);
});
