import { endMarker, interfaceDescription, sectionHeader } from '../../../src/wire/pcapng-write.ts';
import { BUILT_EPOCH_NS } from '../../support/built-capture.ts';
import { packetBlock } from '../../support/packet-blocks.ts';
import type { Random } from '../../support/random.ts';
import type { RanConnection, SentSegment } from './connection.ts';

/** A segment as it was seen at a place: when, by that place's clock; ns since the epoch of built captures. */
export interface SeenSegment {
  readonly segment: SentSegment;
  readonly place: number;
  readonly time: number;
  /** IPv4's identification: one for each packet of a sender. */
  readonly id: number;
}

/** What a capture misses. */
export interface Losses {
  readonly kind: 'none' | 'random' | 'bursts' | 'one direction';
  /** Of 1,000 packets. */
  readonly perMille: number;
  /** The capture begins this late, and ends this early, as parts of the connection's duration. */
  readonly cutStart: number;
  readonly cutEnd: number;
  /** Some neighbouring packets of the two directions come swapped by a few µs. */
  readonly swaps: boolean;
  /** Some packets are seen twice at one place. */
  readonly copies: boolean;
}

/** Where it is captured: 0 at the client, 1 at the server, between them else; and how far its clock is off, ns. */
export interface Place {
  readonly at: number;
  readonly clock: number;
}

const SWAP_NS = 5_000;
const COPY_NS = 3_000;

export function randomLosses(random: Random): Losses {
  const kind = (['none', 'random', 'random', 'bursts', 'one direction'] as const)[random.below(5)] as Losses['kind'];
  return {
    kind,
    perMille: kind === 'none' ? 0 : 5 + random.below(200),
    cutStart: random.below(3) === 0 ? random.below(60) / 100 : 0,
    cutEnd: random.below(4) === 0 ? random.below(40) / 100 : 0,
    swaps: random.below(5) === 0,
    copies: random.below(6) === 0,
  };
}

/** When a segment passes a place; ns. */
export function passes(connection: RanConnection, segment: SentSegment, place: Place): number {
  const { oneWay } = connection.behaviour;
  return Math.round(segment.sent + (segment.side === 0 ? place.at : 1 - place.at) * oneWay + place.clock);
}

/** What a capture at these places holds, in the order of its time stamps. */
export function captured(connection: RanConnection, places: readonly Place[], losses: Losses, random: Random) {
  const { segments } = connection;
  const duration = segments.at(-1)?.sent ?? 0;
  const ids = segments.map((segment, index) => (index * 7 + segment.side * 30_000) & 0xffff);
  const seen: SeenSegment[] = [];
  for (const [number, place] of places.entries()) {
    const lostSide = random.below(2);
    let burst = 0;
    for (const [index, segment] of segments.entries()) {
      const time = passes(connection, segment, place);
      const way = segment.side === 0 ? place.at : 1 - place.at;
      if (segment.reach !== undefined && way > segment.reach) continue;
      if (segment.sent < losses.cutStart * duration || segment.sent > (1 - losses.cutEnd) * duration) continue;
      if (losses.kind === 'bursts' && burst === 0 && random.below(4_000) < losses.perMille) burst = 1 + random.below(8);
      const hit = random.below(1_000) < losses.perMille;
      const lost =
        (losses.kind === 'random' && hit) ||
        (losses.kind === 'one direction' && hit && segment.side === lostSide) ||
        (losses.kind === 'bursts' && burst > 0);
      if (burst > 0) burst -= 1;
      if (lost) continue;
      const id = ids[index] as number;
      seen.push({ segment, place: number, time, id });
      if (losses.copies && random.below(10) === 0) seen.push({ segment, place: number, time: time + COPY_NS, id });
    }
  }
  seen.sort((a, b) => a.time - b.time);
  return losses.swaps ? swapped(seen, random) : seen;
}

/** A packet and the next one of the other direction that comes within a few µs change places, as two taps merged have it. */
function swapped(seen: readonly SeenSegment[], random: Random): SeenSegment[] {
  const result = [...seen];
  for (let index = 1; index < result.length; index += 1) {
    const [before, after] = [result[index - 1], result[index]];
    if (before === undefined || after === undefined || before.segment.side === after.segment.side) continue;
    if (after.time - before.time > SWAP_NS || random.below(2) > 0) continue;
    result[index - 1] = after;
    result[index] = before;
    index += 1;
  }
  return result;
}

/** A pcapng file of what was seen; each place is an interface. @param snaplen bytes kept of a packet */
export function fileOf(
  connection: RanConnection,
  seen: readonly SeenSegment[],
  places: readonly Place[],
  snaplen = 262_144,
): Buffer {
  const described = places.map((_, index) =>
    interfaceDescription({ linkType: 1, snaplen, name: `shop/pod-${index}/eth0`, description: '' }),
  );
  const blocks = seen.map((one) => blockOf(connection, one, snaplen));
  const end = endMarker({ version: 1, reason: 'user', packets: places.map(() => 0) });
  return Buffer.concat([sectionHeader('test'), ...described, ...blocks, end]);
}

const INITIAL = [4_294_960_000, 77_000] as const;

function blockOf(connection: RanConnection, { segment, place, time, id }: SeenSegment, snaplen: number): Buffer {
  const { port, transport } = connection.conversation;
  const packet = transport === 'udp' ? datagramOf(segment, port, id) : frameOf(segment, port, id);
  const bytes = packet.subarray(0, snaplen);
  return packetBlock({ interfaceId: place, time: BUILT_EPOCH_NS + BigInt(time), bytes, length: packet.length });
}

const FLAG_BITS = { S: 2, 'S.': 18, '.': 16, 'P.': 24, 'F.': 17 } as const;

/** Ethernet, IPv4, UDP. */
function datagramOf({ side, bytes }: SentSegment, port: number, id: number): Buffer {
  const frame = packetOf(side, port, id, 17, 42 + bytes.length);
  frame.writeUInt16BE(8 + bytes.length, 38);
  bytes.copy(frame, 42);
  return frame;
}

/** Ethernet, IPv4, TCP. */
function frameOf(
  { side, offset, bytes, acknowledged, flags, window = 65_000 }: SentSegment,
  port: number,
  id: number,
): Buffer {
  const frame = packetOf(side, port, id, 6, 54 + bytes.length);
  const beginning = flags === 'S' || flags === 'S.' ? 0 : 1;
  frame.writeUInt32BE((INITIAL[side] + beginning + offset) >>> 0, 38);
  if (flags !== 'S') frame.writeUInt32BE((INITIAL[side === 0 ? 1 : 0] + 1 + acknowledged) >>> 0, 42);
  frame[46] = 0x50;
  frame[47] = FLAG_BITS[flags];
  frame.writeUInt16BE(window, 48);
  bytes.copy(frame, 54);
  return frame;
}

/** A frame with its headers down to the ports. */
function packetOf(side: 0 | 1, port: number, id: number, protocol: number, length: number): Buffer {
  const frame = Buffer.alloc(length);
  frame.writeUInt16BE(0x0800, 12);
  frame[14] = 0x45;
  frame.writeUInt16BE(frame.length - 14, 16);
  frame.writeUInt16BE(id, 18);
  frame.writeUInt16BE(0x4000, 20);
  frame[22] = 64;
  frame[23] = protocol;
  const hosts = [0x0a000001, 0x0a000002] as const;
  frame.writeUInt32BE(hosts[side], 26);
  frame.writeUInt32BE(hosts[side === 0 ? 1 : 0], 30);
  frame.writeUInt16BE(side === 0 ? 40_000 : port, 34);
  frame.writeUInt16BE(side === 0 ? port : 40_000, 36);
  return frame;
}
