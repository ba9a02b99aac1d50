import type { Random } from '../../support/random.ts';

/** What a network and the hosts on it do besides: of 1,000 segments. */
export interface Network {
  /** Are lost on their way, before or behind a place of capture, and sent again. */
  readonly lost: number;
  /** Arrive, and are sent again nevertheless. */
  readonly spurious: number;
  /** Are followed, when the connection is idle, by a keep-alive of one byte or none. */
  readonly keepAlives: number;
  /** Are acknowledged with a window of zero, which is probed and opened again. */
  readonly zeroWindows: number;
}

/** How long a sender waits before it sends again, at least; ns. */
const TIMEOUT_NS = 200_000_000;

export function randomNetwork(random: Random): Network {
  return {
    lost: random.below(4) > 0 ? random.below(150) : 0,
    spurious: random.below(3) === 0 ? random.below(100) : 0,
    keepAlives: random.below(3) === 0 ? random.below(300) : 0,
    zeroWindows: random.below(3) === 0 ? random.below(200) : 0,
  };
}

/** After how long a segment is sent again: when three more were acknowledged, or by a time-out. ns */
export function timeout(oneWay: number, random: Random): number {
  const fast = 2 * oneWay + 1_000 + random.below(100_000);
  return random.below(2) === 0 ? fast : TIMEOUT_NS + 4 * oneWay;
}
