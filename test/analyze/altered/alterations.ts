import type { Random } from '../../support/random.ts';
import { type PlacedFrame, partsOf } from './frames.ts';
import { resized, split } from './segments.ts';

/** A connection as it was altered, and how: `packet 4 byte 66 2→3`. */
export interface Altered {
  readonly frames: readonly PlacedFrame[];
  readonly how: readonly string[];
}

type Alteration = (frames: readonly PlacedFrame[], random: Random) => Altered;

const SNAPLENS = [54, 60, 68, 80, 96, 128, 200, 300];
/** How far from the payload's beginning bytes are changed: mostly where headers of messages are. */
const REACHES = [8, 24, 64, 2000];
/** The same from the frame's beginning. */
const HEADER_REACHES = [24, 40, 60, 120];

/** A byte each of some packets: a neighbour of its value, an end of the range, a bit, any. */
const bytes: Alteration = (frames, random) => {
  const how: string[] = [];
  const altered = frames.map((frame, index) => {
    const parts = partsOf(frame);
    if (parts === undefined || random.below(3) > 0) return frame;
    const { transport, payload } = parts;
    const length = frame.bytes.length - payload;
    const isHeader = length <= 0 || random.below(10) === 0;
    const at = isHeader
      ? transport + 4 + random.below(Math.max(1, payload - transport - 4))
      : payload + random.below(Math.min(length, pick(REACHES, random)));
    const before = frame.bytes[at];
    if (before === undefined) return frame;
    const others = [before + 1, before - 1, 0, 255, before ^ 0x80, before ^ (1 << random.below(8)), random.below(256)];
    const after = pick(others, random) & 255;
    how.push(`packet ${index + 1} byte ${at} ${before}→${after}`);
    const changed = Buffer.from(frame.bytes);
    changed[at] = after;
    return { ...frame, bytes: changed };
  });
  return { frames: altered, how };
};

/** A byte each of some packets within what carries TCP and UDP: link, network and tunnels, and what follows. */
export const headers: Alteration = (frames, random) => {
  const how: string[] = [];
  const altered = frames.map((frame, index) => {
    if (random.below(3) > 0) return frame;
    const at = random.below(Math.min(frame.bytes.length, pick(HEADER_REACHES, random)));
    const before = frame.bytes[at];
    if (before === undefined) return frame;
    const after = pick([before + 1, before - 1, before ^ (1 << random.below(8)), random.below(256)], random) & 255;
    how.push(`packet ${index + 1} byte ${at} ${before}→${after}`);
    const changed = Buffer.from(frame.bytes);
    changed[at] = after;
    return { ...frame, bytes: changed };
  });
  return { frames: altered, how };
};

/** Single packets or runs of them are missing. */
const loss: Alteration = (frames, random) => {
  const perTen = 1 + random.below(5);
  const how: string[] = [];
  const left = frames.filter((_, index) => {
    const isLost = random.below(10) < perTen;
    if (isLost) how.push(`packet ${index + 1} lost`);
    return !isLost;
  });
  return { frames: left, how };
};

/** Every packet, or some, cut at a length. */
const cut: Alteration = (frames, random) => {
  const snaplen = pick(SNAPLENS, random);
  const some = random.below(2) === 0;
  const how = [`${some ? 'some' : 'all'} packets cut at ${snaplen}`];
  const altered = frames.map((frame) =>
    some && random.below(3) > 0 ? frame : { ...frame, bytes: frame.bytes.subarray(0, snaplen) },
  );
  return { frames: altered, how };
};

/** The capture begins late; neighbours are swapped, packets are there twice. */
const order: Alteration = (frames, random) => {
  const start = random.below(3) === 0 ? random.below(Math.ceil(frames.length / 2)) : 0;
  const how = [`begins at packet ${start + 1}`];
  const altered: PlacedFrame[] = [];
  let held: PlacedFrame | undefined;
  for (const [index, frame] of frames.entries()) {
    if (index < start) continue;
    if (held === undefined && random.below(5) === 0) {
      held = frame;
      how.push(`packet ${index + 1} later`);
      continue;
    }
    altered.push(frame);
    if (random.below(8) === 0) {
      altered.push({ ...frame, time: frame.time + 1_000n });
      how.push(`packet ${index + 1} twice`);
    }
    if (held !== undefined && random.below(2) === 0) {
      altered.push({ ...held, time: frame.time + 2_000n });
      held = undefined;
    }
  }
  return { frames: altered, how };
};

/** Bytes are cut out of a message, put in, or the payload of another packet stands in its place. */
const content: Alteration = (frames, random) => {
  const full = [...frames.keys()].filter((index) => payloadOf(frames[index]).length > 0);
  const index = full[random.below(full.length)];
  if (index === undefined) return { frames, how: [] };
  const before = payloadOf(frames[index]);
  const at = random.below(Math.min(before.length, pick(REACHES, random)));
  const length = 1 + random.below(pick([1, 4, 64], random));
  const other = payloadOf(frames[full[random.below(full.length)] as number]);
  const [how, after] = pick(
    [
      [`without ${length} bytes at ${at}`, Buffer.concat([before.subarray(0, at), before.subarray(at + length)])],
      [
        `${length} bytes twice at ${at}`,
        Buffer.concat([before.subarray(0, at), before.subarray(at, at + length), before.subarray(at)]),
      ],
      ['with the payload of another', other],
      ['and the payload of another', Buffer.concat([before, other])],
      [`ends at ${at}`, before.subarray(0, at)],
    ] as const,
    random,
  );
  return { frames: resized(frames, index, after), how: [`packet ${index + 1} ${how}`] };
};

/** Segments in two parts, at any byte. */
const segments: Alteration = (frames, random) => {
  const how: string[] = [];
  const altered = frames.flatMap((frame, index) => {
    const length = payloadOf(frame).length;
    if (length < 2 || random.below(2) === 0) return [frame];
    const at = 1 + random.below(Math.min(length - 1, pick(REACHES, random)));
    how.push(`packet ${index + 1} split at ${at}`);
    return split(frame, at);
  });
  return { frames: altered, how };
};

/** Captured at two places: copies at the other one come later, by a clock that differs, and each misses some. */
const places: Alteration = (frames, random) => {
  const later = BigInt(random.below(400_000));
  const misses = random.below(4);
  const oneWay = random.below(4) === 0;
  const altered = frames.flatMap((frame) => {
    const copy = { ...frame, place: 1, time: frame.time + later };
    const [source, destination] = partsOf(frame)?.ends ?? [];
    if (oneWay) return (source?.port ?? 0) > (destination?.port ?? 0) ? [frame] : [copy];
    return [frame, copy].filter(() => random.below(10) >= misses);
  });
  altered.sort((a, b) => Number(a.time - b.time));
  const how = `two places, ${later} ns apart${oneWay ? ', a direction each' : `, ${misses} of 10 missing`}`;
  return { frames: altered, how: [how] };
};

const ALTERATIONS: readonly Alteration[] = [
  bytes,
  bytes,
  bytes,
  content,
  content,
  loss,
  cut,
  order,
  segments,
  places,
  (frames, random) => then(bytes, segments)(frames, random),
  (frames, random) => then(places, loss)(frames, random),
];

/** One alteration of a connection, or two; the same for the same random numbers. */
export function altered(frames: readonly PlacedFrame[], random: Random): Altered {
  return pick(ALTERATIONS, random)(frames, random);
}

function then(first: Alteration, second: Alteration): Alteration {
  return (frames, random) => {
    const one = first(frames, random);
    const two = second(one.frames, random);
    return { frames: two.frames, how: [...one.how, ...two.how] };
  };
}

function payloadOf(frame: PlacedFrame | undefined): Buffer {
  const parts = frame === undefined ? undefined : partsOf(frame);
  return frame === undefined || parts === undefined ? Buffer.alloc(0) : frame.bytes.subarray(parts.payload);
}

function pick<T>(all: readonly T[], random: Random): T {
  return all[random.below(all.length)] as T;
}
