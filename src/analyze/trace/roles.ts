import { TRACE_ROLES } from '../limits.ts';

/**
 * Which hosts take requests, and which make calls, at which places of capture: of a call whose client takes none there, no request
 * can be the reason, and a request whose server makes no calls there waits for none. A flow whose client is not certain counts
 * both ways. Nothing is forgotten: past TRACE_ROLES, where hosts no longer fit, everything is possible.
 */
export class Roles {
  readonly #servers = new Set<number>();
  readonly #clients = new Set<number>();
  #isFull = false;

  /** A flow of which a place saw its SYN or its first data. @param place as Places.of @param isCertain which end is the client */
  add(place: number, client: number, server: number, isCertain: boolean): void {
    this.#servers.add(keyOf(place, server));
    this.#clients.add(keyOf(place, client));
    if (!isCertain) {
      this.#servers.add(keyOf(place, client));
      this.#clients.add(keyOf(place, server));
    }
    if (this.#servers.size + this.#clients.size < TRACE_ROLES) return;
    this.#isFull = true;
    this.#servers.clear();
    this.#clients.clear();
  }

  /** Whether requests to a host may have been seen at a place. */
  mayServe(place: number, host: number): boolean {
    return this.#isFull || this.#servers.has(keyOf(place, host));
  }

  /** Whether calls of a host may have been seen at a place. */
  mayCall(place: number, host: number): boolean {
    return this.#isFull || this.#clients.has(keyOf(place, host));
  }
}

/** A host at a place, all interfaces that are cooked into one together: a number for a Map. @param place as Places.of */
export function keyOf(place: number, host: number): number {
  return (place >>> 16) * 2 ** 32 + (host >>> 0);
}
