import type { Places } from '../engine/places.ts';
import type { Names } from '../identity/names.ts';
import { turn, type Vantage } from './vantages.ts';

/** The order in which places are on the way of a call, and whose they are. */
export class PlaceOrder {
  readonly #places: Places;
  readonly #names: Names;

  constructor(places: Places, names: Names) {
    this.#places = places;
    this.#names = names;
  }

  /**
   * From the client to the server: the client's own place first, the server's last, between them by falling hop limits. Devices of
   * different nodes that have the same: by the falling time until the response.
   */
  ordered(vantages: readonly Vantage[], time: number): Vantage[] {
    const [first, second] = vantages;
    if (first === undefined || second === undefined) return [...vantages];
    if (vantages.length === 2) {
      // Most calls: a client's place and a server's. Equal ones keep their order, as sorting does.
      return this.#compared(first, this.#rank(first, time), second, this.#rank(second, time)) > 0
        ? [second, first]
        : [first, second];
    }
    return vantages
      .map((at) => ({ at, rank: this.#rank(at, time) }))
      .sort((a, b) => this.#compared(a.at, a.rank, b.at, b.rank))
      .map(({ at }) => at);
  }

  #rank(at: Vantage, time: number): number {
    if (this.isAt(at, at.clientHost, time)) return 0;
    return this.isAt(at, at.serverHost, time) ? 2 : 1;
  }

  #compared(a: Vantage, rankOfA: number, b: Vantage, rankOfB: number): number {
    return (
      rankOfA - rankOfB ||
      b.hopLimit - a.hopLimit ||
      (this.#sameClock(a, b) ? (a.requestEnd ?? 0) - (b.requestEnd ?? 0) : (turn(b) ?? 0) - (turn(a) ?? 0))
    );
  }

  #sameClock(a: Vantage, b: Vantage): boolean {
    return this.#places.clockOf(a.place) === this.#places.clockOf(b.place);
  }

  /** Whether a place is a host's own interface. */
  isAt(at: Vantage, host: number, time: number): boolean {
    const names = this.#names;
    const owner = names.ofInterface(at.interfaceId);
    const known = names.ofHost(host, time, at.interfaceId);
    if (owner?.pod === undefined) return owner !== undefined && owner === known;
    return owner.pod === known?.pod && owner.namespace === known.namespace;
  }

  /** Whether a place is the interface of a pod that is neither the client nor the server: pods do not forward. */
  isBystander(at: Vantage, time: number): boolean {
    if (this.#names.ofInterface(at.interfaceId)?.pod === undefined) return false;
    return !this.isAt(at, at.clientHost, time) && !this.isAt(at, at.serverHost, time);
  }
}
