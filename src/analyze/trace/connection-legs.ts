import { LEG_HANDSHAKES, LEG_WINDOW_NS } from '../limits.ts';

/** Buckets looked at for one key before the oldest of them gives way. */
const PROBES = 8;

/** Int32s of an entry: both initial sequence numbers and the flow's number + 1; 0 marks a free entry. */
const STRIDE = 3;

/**
 * Finds the connections that are one connection seen on two legs: before and after a Service's DNAT, or behind a
 * masquerading node. NAT changes addresses and ports but keeps sequence numbers, so two handshakes with the same pair of
 * initial sequence numbers (64 random bits, RFC 6528) within a short time are the same one. Proxies and SYN proxies make
 * numbers of their own and are never joined here.
 *
 * Bounded: LEG_HANDSHAKES entries of 20 bytes; when its neighbourhood is full the oldest handshake is forgotten.
 */
export class ConnectionLegs {
  readonly #entries = new Int32Array(LEG_HANDSHAKES * STRIDE);
  readonly #times = new Float64Array(LEG_HANDSHAKES);

  /**
   * A handshake whose SYN-ACK was seen: the server's words that name both initial sequence numbers.
   * @param clientInitial int32, the SYN's sequence number
   * @param serverInitial int32, the SYN-ACK's sequence number
   * @param flow the flow's number, as FlowIdentity.id
   * @param time ns since the first packet
   * @returns the number of the flow that had this handshake first, or -1
   */
  handshake(clientInitial: number, serverInitial: number, flow: number, time: number): number {
    const entries = this.#entries;
    const home = hashOf(clientInitial, serverInitial);
    // What is forgotten when there is no free entry: the handshake that is longest ago.
    let victim = home & (LEG_HANDSHAKES - 1);
    for (let step = 0; step < PROBES; step += 1) {
      const index = (home + step) & (LEG_HANDSHAKES - 1);
      const known = entries[index * STRIDE + 2] as number;
      if (known === 0) {
        victim = index;
        break;
      }
      const isSame = entries[index * STRIDE] === clientInitial && entries[index * STRIDE + 1] === serverInitial;
      if (isSame && Math.abs(time - (this.#times[index] as number)) <= LEG_WINDOW_NS) {
        return known - 1 === flow ? -1 : known - 1;
      }
      if ((this.#times[index] as number) < (this.#times[victim] as number)) victim = index;
    }
    const at = victim * STRIDE;
    entries[at] = clientInitial;
    entries[at + 1] = serverInitial;
    entries[at + 2] = flow + 1;
    this.#times[victim] = time;
    return -1;
  }
}

function hashOf(a: number, b: number): number {
  let hash = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 15), 0xc2b2ae35);
  hash ^= hash >>> 13;
  return Math.imul(hash, 0x27d4eb2f) >>> 0;
}
