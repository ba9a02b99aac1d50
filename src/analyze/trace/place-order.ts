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
    const rank = (at: Vantage) => (this.isAt(at, at.clientHost, time) ? 0 : this.isAt(at, at.serverHost, time) ? 2 : 1);
    return vantages
      .map((at) => ({ at, rank: rank(at) }))
      .sort(
        (a, b) =>
          a.rank - b.rank ||
          b.at.hopLimit - a.at.hopLimit ||
          (this.#sameClock(a.at, b.at)
            ? (a.at.requestEnd ?? 0) - (b.at.requestEnd ?? 0)
            : (turn(b.at) ?? 0) - (turn(a.at) ?? 0)),
      )
      .map(({ at }) => at);
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
