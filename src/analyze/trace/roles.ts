import { TRACE_ROLES } from '../limits.ts';

/** A host for certain, or several. */
const SOME = -1;

/**
 * Which hosts take requests, and which make calls, at which places of capture: of a call whose client takes none there, no request
 * can be the reason, and a request whose server makes no calls there waits for none. A flow whose client is not certain counts
 * both ways. Nothing is forgotten: past TRACE_ROLES, where hosts no longer fit, everything is possible.
 */
export class Roles {
  /** By host at a place: the one host it may have served, or may have called; SOME where that is certain, or it were several. */
  readonly #servers = new Map<number, number>();
  readonly #clients = new Map<number, number>();
  #isFull = false;
  /** A host takes requests and makes calls, or may do both: a call may belong to a request. */
  mayJoin = false;

  /** A flow of which a place saw its SYN or its first data. @param place as Places.of @param isCertain which end is the client */
  add(place: number, client: number, server: number, isCertain: boolean): void {
    const ends = [keyOf(place, client), keyOf(place, server)] as const;
    if (isCertain) this.#add(...ends, SOME, SOME);
    else {
      this.#add(...ends, ...ends);
      this.#add(ends[1], ends[0], ends[1], ends[0]);
    }
    if (this.#servers.size + this.#clients.size < TRACE_ROLES) return;
    this.#isFull = true;
    this.mayJoin = true;
    this.#servers.clear();
    this.#clients.clear();
  }

  /** A flow of a client and a server, both as keyOf. @param caller what the server has of its client @param callee what the client has of its server */
  #add(client: number, server: number, caller: number, callee: number): void {
    const callers = this.#servers.get(server);
    if (callers !== caller) this.#servers.set(server, callers === undefined ? caller : SOME);
    const callees = this.#clients.get(client);
    if (callees !== callee) this.#clients.set(client, callees === undefined ? callee : SOME);
    this.mayJoin ||= client === server || this.#joins(client) || this.#joins(server);
  }

  /** With one host whose flows may go either way nothing is joined: all of them go the same way, or that shows later. */
  #joins(host: number): boolean {
    const caller = this.#servers.get(host);
    const callee = this.#clients.get(host);
    return caller !== undefined && callee !== undefined && (caller !== callee || caller === SOME);
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
