import { KNOWN_COPY_DIFFERENCES } from './known-copy-differences.ts';
import { KNOWN_HTTP_DIFFERENCES } from './known-http-differences.ts';
import { KNOWN_LINK_DIFFERENCES } from './known-link-differences.ts';
import { KNOWN_MESSAGE_DIFFERENCES } from './known-message-differences.ts';
import { KNOWN_STREAM_DIFFERENCES } from './known-stream-differences.ts';
import { KNOWN_TLS_DIFFERENCES } from './known-tls-differences.ts';
import type { TrafficDifference } from './traffic-comparison.ts';

/** Where tshark 4.0 and ksnoop say different things of connections and messages, looked at one by one, and why that is to stay. */
export interface KnownDifference {
  /** What the file's path ends with. */
  readonly file: string;
  /** Frames in which something is said that only one of the two tells; 0 where tshark sees no frame of it. */
  readonly frames?: readonly number[];
  /** tshark's numbers of TCP streams. */
  readonly streams?: readonly number[];
  readonly what: readonly string[];
  readonly reason: string;
}

/** By file, frame or stream, and subject: a difference elsewhere is a new one. */
export const KNOWN_TRAFFIC_DIFFERENCES: readonly KnownDifference[] = [
  ...KNOWN_LINK_DIFFERENCES,
  ...KNOWN_STREAM_DIFFERENCES,
  ...KNOWN_COPY_DIFFERENCES,
  ...KNOWN_MESSAGE_DIFFERENCES,
  ...KNOWN_HTTP_DIFFERENCES,
  ...KNOWN_TLS_DIFFERENCES,
];

/** Whether the entry is about this difference. */
export function knows({ file, frames, streams, what }: KnownDifference, difference: TrafficDifference): boolean {
  if (!`/${difference.file}`.endsWith(`/${file}`) || !what.includes(difference.what)) return false;
  const { at } = difference;
  return 'frame' in at ? (frames?.includes(at.frame) ?? false) : (streams?.includes(at.stream) ?? false);
}

export function isKnownDifference(difference: TrafficDifference): boolean {
  return KNOWN_TRAFFIC_DIFFERENCES.some((known) => knows(known, difference));
}
