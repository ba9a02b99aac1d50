import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { CaptureAnalysis } from '../../src/analyze/engine/capture-analysis.ts';
import { KsnoopError } from '../../src/wire/errors.ts';
import { CAPTURES, captureFiles } from '../support/captures.ts';
import { Random } from '../support/random.ts';

/** Bytes of a file that are mutated: beyond, what is alike is done again. */
const FILE_BYTES = 64 * 1024;
/** A mutation that takes more of the processor hangs: milliseconds. */
export const HANG_MS = 5_000;

/** The beginnings of all captures. */
export function materials(): { readonly name: string; readonly bytes: Buffer }[] {
  return captureFiles().map((path) => {
    const bytes = readFileSync(path);
    const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
    return { name: path.slice(CAPTURES.length + 1), bytes: Buffer.from(plain.subarray(0, FILE_BYTES)) };
  });
}

/** Bytes changed, cut out, put in twice, cut off: what a damaged disk, a bad merge or an attacker does. */
export function mutated(bytes: Buffer, random: Random): Buffer {
  let result = Buffer.from(bytes);
  for (let change = 1 + random.below(6); change > 0 && result.length > 30; change -= 1) {
    // The file's header stays, mostly: behind it is what is to be reached.
    const at = random.below(20) === 0 ? random.below(24) : 24 + random.below(result.length - 24);
    switch (random.below(6)) {
      case 0:
        result[at] = random.below(256);
        break;
      case 1:
        result[at] = (result[at] as number) ^ (1 << random.below(8));
        break;
      case 2:
        result.fill(
          [0, 0xff, 0x7f, 0x80][random.below(4)] as number,
          at,
          Math.min(result.length, at + 1 + random.below(4)),
        );
        break;
      case 3:
        result = Buffer.concat([result.subarray(0, at), result.subarray(at + random.below(40))]);
        break;
      case 4: {
        const part = result.subarray(at, at + random.below(100));
        result = Buffer.concat([result.subarray(0, at), part, result.subarray(at)]);
        break;
      }
      default:
        result = result.subarray(0, at);
    }
  }
  return result;
}

/** Analyse bytes as `ksnoop read` would, in every form. @throws whatever is no KsnoopError of a damaged file */
export function survive(bytes: Buffer, detail: boolean): { readonly packets: number; readonly events: number } {
  let events = 0;
  const capture = new CaptureAnalysis(
    {
      event: () => {
        events += 1;
      },
      flowEnded: (flow) => void flow.facts(),
    },
    { detail, showSecrets: false },
  );
  try {
    capture.push(bytes);
  } catch (thrown) {
    if (!(thrown instanceof KsnoopError)) throw thrown;
  }
  capture.end();
  return { packets: capture.framer.packets, events };
}

/** Mutate and analyse. @param seed the same mutations for the same seed @returns how much was looked at */
export function mutate(count: number, seed: number): { packets: number; events: number; slowest: number } {
  const files = materials();
  const random = new Random(seed);
  const total = { packets: 0, events: 0, slowest: 0 };
  for (let index = 0; index < count && files.length > 0; index += 1) {
    const { name, bytes } = files[random.below(files.length)] as (typeof files)[number];
    const changed = mutated(bytes, random);
    const began = process.cpuUsage();
    try {
      const { packets, events } = survive(changed, index % 2 === 0);
      total.packets += packets;
      total.events += events;
    } catch (cause) {
      throw new Error(`mutation ${index} of seed ${seed}, of ${name}`, { cause });
    }
    total.slowest = Math.max(total.slowest, process.cpuUsage(began).user / 1e3);
    if (total.slowest > HANG_MS) throw new Error(`mutation ${index} of seed ${seed}, of ${name}: ${total.slowest} ms`);
  }
  return total;
}
