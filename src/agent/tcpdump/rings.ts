import { FIRST_PACKETS_CAPTURES, RING_MAXIMUM_KIB, RING_MINIMUM_KIB, RINGS_KIB } from '../limits.ts';
import type { NamespaceCapture } from './namespace-capture.ts';

/**
 * The kernel's ring for one more capture of a session, KiB: a fair part of RINGS_KIB. A session that follows its
 * targets keeps half of it for those that join, and each of them takes a part of what is left.
 */
export function ringFor(shares: ReadonlySet<NamespaceCapture>, follow: boolean, joining: boolean): number {
  let used = 0;
  for (const { ringKib } of shares) used += ringKib;
  const fair = joining ? (RINGS_KIB - used) / 4 : RINGS_KIB / (follow ? 2 : 1) / shares.size;
  return Math.max(RING_MINIMUM_KIB, Math.min(RING_MAXIMUM_KIB, Math.floor(fair)));
}

/** Whether a capture is of somebody's first look at few targets, whose first packets are brought ahead of their rings. */
export function isFirstLook(shares: ReadonlySet<NamespaceCapture>, joining: boolean): boolean {
  return !joining && shares.size <= FIRST_PACKETS_CAPTURES;
}
