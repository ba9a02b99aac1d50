import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { tsharkTraffic } from '../oracle/tshark-traffic.ts';
import { compareMessages } from './message-comparison.ts';
import { compareStreams, FOLLOWED } from './stream-comparison.ts';
import { watchBytes } from './watched-streams.ts';

/** A frame (0 where it is about the file, or about what tshark does not see), or tshark's number of a TCP stream. */
export type Place = { readonly frame: number } | { readonly stream: number };

/** Something on which ksnoop and tshark differ. */
export interface TrafficDifference {
  readonly file: string;
  readonly at: Place;
  readonly what: string;
  readonly tshark: string;
  readonly ksnoop: string;
}

export interface TrafficComparison {
  readonly file: string;
  /** By what was compared: how many things agreed. */
  readonly agreements: ReadonlyMap<string, number>;
  readonly differences: readonly TrafficDifference[];
}

/** Takes what was compared of a file, agreement (`amount` things) or difference. */
export type Compare = (at: Place, what: string, tshark: string, ksnoop: string, amount: number) => void;

/** Hold a file's frames, connections, bytes and messages against tshark; undefined when tshark does not open it. */
export async function compareTraffic(directory: string, path: string): Promise<TrafficComparison | undefined> {
  const file = path.slice(directory.length + 1);
  const bytes = await readFile(path);
  const watched = watchBytes(bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes);
  const { flows, packets } = watched.analysed;
  const connections = flows.filter(({ tcp }) => tcp !== undefined).length;
  const answer = await tsharkTraffic(path, Math.min(FOLLOWED, connections));
  if (answer === undefined) return undefined;
  const agreements = new Map<string, number>();
  const differences: TrafficDifference[] = [];
  const compare: Compare = (at, what, tshark, ksnoop, amount) => {
    if (tshark !== ksnoop) differences.push({ file, at, what, tshark, ksnoop });
    else if (amount > 0) agreements.set(what, (agreements.get(what) ?? 0) + amount);
  };
  compare({ frame: 0 }, 'frames', String(answer.frames.length), String(packets), packets);
  compareStreams(answer, watched, compare);
  compareMessages(answer.frames, watched.analysed.events, compare);
  return { file, agreements, differences };
}
