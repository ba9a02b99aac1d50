import { type FollowedStream, type MessageFrame, TCP_TROUBLES, type TrafficAnswer } from '../oracle/tshark-traffic.ts';
import { endpointsOf, firstFrames, pairOf } from './endpoints.ts';
import type { Compare } from './traffic-comparison.ts';
import type { Watched } from './watched-streams.ts';

/** Streams of one file that are followed byte by byte: each costs tshark a look at every packet. */
export const FOLLOWED = 100;

type Trouble = keyof typeof TCP_TROUBLES;
const TROUBLES = Object.keys(TCP_TROUBLES) as Trouble[];

/** TCP streams between the same endpoints, what happened in each, and their bytes. */
export function compareStreams({ frames, streams }: TrafficAnswer, watched: Watched, compare: Compare): void {
  const ours = groupBy(
    watched.analysed.flows.filter(({ tcp }) => tcp !== undefined),
    (flow) => pairOf(`${flow.clientIp}:${flow.clientPort}`, `${flow.serverIp}:${flow.serverPort}`),
  );
  const theirs = groupBy([...streamsOf(frames)], ([, { endpoints }]) => endpoints);
  const first = firstFrames(frames);
  const followed = new Map(streams.map((stream) => [stream.number, stream]));
  for (const endpoints of new Set([...theirs.keys(), ...ours.keys()])) {
    const their = theirs.get(endpoints) ?? [];
    const our = ours.get(endpoints) ?? [];
    const number = their[0]?.[0];
    compare(
      number === undefined ? { frame: first.get(endpoints) ?? 0 } : { stream: Number(number) },
      'TCP streams',
      String(their.length),
      String(our.length),
      our.length,
    );
    if (their.length !== our.length) continue;
    for (const [index, [number, stream]] of their.entries()) {
      const flow = our[index];
      const tcp = flow?.tcp;
      if (flow === undefined || tcp === undefined) continue;
      for (const trouble of TROUBLES) {
        const theirCount = stream.troubles.get(trouble) ?? 0;
        compare(
          { stream: Number(number) },
          trouble,
          String(theirCount),
          String(tcp.client[trouble] + tcp.server[trouble]),
          theirCount,
        );
      }
      compareBytes(followed.get(Number(number)), watched.streams.get(flow.id), compare);
    }
  }
}

interface TheirStream {
  readonly endpoints: string;
  readonly troubles: Map<Trouble, number>;
}

/** By tcp.stream. */
function streamsOf(frames: readonly MessageFrame[]): Map<string, TheirStream> {
  const streams = new Map<string, TheirStream>();
  for (const frame of frames) {
    const number = frame.last('tcp.stream');
    if (number === '') continue;
    const stream = streams.get(number) ?? { endpoints: endpointsOf(frame), troubles: new Map() };
    streams.set(number, stream);
    for (const trouble of TROUBLES) {
      if (frame.has(TCP_TROUBLES[trouble])) stream.troubles.set(trouble, (stream.troubles.get(trouble) ?? 0) + 1);
    }
  }
  return streams;
}

/** `bytes missing in capture file` */
const MISSING = Buffer.from('bytes missing in capture file');

/** A stream without a gap, byte by byte. */
function compareBytes(
  followed: FollowedStream | undefined,
  own: { readonly bytes: readonly [Buffer[], Buffer[]]; readonly gap: boolean } | undefined,
  compare: Compare,
): void {
  if (followed === undefined || own?.gap === true) return;
  if (followed.bytes.some((bytes) => bytes.includes(MISSING))) return;
  const ours = (own?.bytes ?? [[], []]).map((portions) => Buffer.concat(portions));
  const [hex, other] = [followed.bytes, ours].map((pair) => pair.map((bytes) => bytes.toString('hex')).sort());
  const amount = ours.reduce((sum, bytes) => sum + bytes.length, 0);
  compare({ stream: followed.number }, 'bytes of streams', hex?.join('\n') ?? '', other?.join('\n') ?? '', amount);
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
