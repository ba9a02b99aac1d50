import { NO_TROUBLES, type TcpDirectionFacts } from '../flow/flow-facts.ts';
import { Waits } from './waits.ts';

/** What is counted of a direction, as positions in a Troubles array. */
export const TROUBLE = {
  fast: 0,
  timeout: 1,
  spurious: 2,
  outOfOrder: 3,
  duplicateAck: 4,
  keepAlive: 5,
  zeroWindow: 6,
  windowFull: 7,
  lost: 8,
} as const;

const KINDS = 9;

/** Most connections have no troubles: their counts are made when the first comes. */
export class Troubles {
  readonly #counts: (Float64Array | undefined)[] = [];
  readonly waits = new Waits();
  /** Retransmissions of all connections so far, and the slot of the last one. */
  retransmissions = 0;
  retransmitting = -1;

  add(slot: number, direction: number, trouble: number, amount = 1): void {
    let counts = this.#counts[slot];
    if (counts === undefined) {
      counts = new Float64Array(2 * KINDS);
      this.#counts[slot] = counts;
    }
    const at = direction * KINDS + trouble;
    counts[at] = (counts[at] as number) + amount;
    if (trouble > TROUBLE.spurious) return;
    this.retransmissions += amount;
    this.retransmitting = slot;
  }

  forget(slot: number): void {
    if (this.#counts[slot] !== undefined) this.#counts[slot] = undefined;
    this.waits.forget(slot);
  }

  facts(slot: number, direction: number): TcpDirectionFacts {
    const counts = this.#counts[slot];
    if (counts === undefined) return NO_TROUBLES;
    const of = (trouble: number) => counts[direction * KINDS + trouble] as number;
    return {
      retransmissions: of(TROUBLE.fast) + of(TROUBLE.timeout) + of(TROUBLE.spurious),
      fastRetransmissions: of(TROUBLE.fast),
      timeoutRetransmissions: of(TROUBLE.timeout),
      spuriousRetransmissions: of(TROUBLE.spurious),
      outOfOrder: of(TROUBLE.outOfOrder),
      duplicateAcks: of(TROUBLE.duplicateAck),
      keepAlives: of(TROUBLE.keepAlive),
      zeroWindows: of(TROUBLE.zeroWindow),
      windowFull: of(TROUBLE.windowFull),
      lost: of(TROUBLE.lost),
    };
  }
}
