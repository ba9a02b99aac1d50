import { EVICTED_REMEMBERED } from '../limits.ts';

const WAYS = 8;
/** Bits of a hash that are not the bucket's. */
const SHIFT = 32 - Math.log2(EVICTED_REMEMBERED / WAYS);
/** The lowest bit of an entry: an exchange was given up with the connection. */
const PENDING = 1;

/** What is known of a connection that was evicted. */
export const EVICTED = { no: 0, idle: 1, pending: 2 } as const;
export type Evicted = (typeof EVICTED)[keyof typeof EVICTED];

/**
 * Connections that were evicted because the table was full: when one continues it is not a new connection. Four bytes each, made when the
 * first is evicted; of more than EVICTED_REMEMBERED the older ones are forgotten. With a million
 * remembered one in 4,000 others that the capture met under way is mistaken for one of them.
 */
export class EvictedConnections {
  #entries: Int32Array | undefined;
  #turn = 0;

  /** @param key a hash of the connection's addresses and ports, int32 @param isPending an exchange was given up with it */
  remember(key: number, isPending: boolean): void {
    this.#entries ??= new Int32Array(EVICTED_REMEMBERED);
    const entries = this.#entries;
    const bucket = bucketOf(key);
    const mark = markOf(key);
    let at = bucket + this.#turn;
    for (let way = 0; way < WAYS; way += 1) {
      const entry = entries[bucket + way] as number;
      if (entry !== 0 && (entry & ~PENDING) !== mark) continue;
      at = bucket + way;
      break;
    }
    entries[at] = mark | (isPending ? PENDING : 0);
    this.#turn = (this.#turn + 1) & (WAYS - 1);
  }

  /** Whether a connection was evicted; it is forgotten with that. */
  take(key: number): Evicted {
    const entries = this.#entries;
    if (entries === undefined) return EVICTED.no;
    const bucket = bucketOf(key);
    const mark = markOf(key);
    for (let at = bucket; at < bucket + WAYS; at += 1) {
      const entry = entries[at] as number;
      if (entry === 0 || (entry & ~PENDING) !== mark) continue;
      entries[at] = 0;
      return entry & PENDING ? EVICTED.pending : EVICTED.idle;
    }
    return EVICTED.no;
  }
}

function bucketOf(key: number): number {
  return (Math.imul(key ^ (key >>> 16), 0x9e3779b1) >>> SHIFT) * WAYS;
}

/** Other bits of the key than the bucket is made of, as far as there are; never 0 without its lowest bit. */
function markOf(key: number): number {
  const mark = Math.imul(key ^ (key >>> 13), 0x85ebca6b) & ~PENDING;
  return mark === 0 ? 2 : mark;
}
