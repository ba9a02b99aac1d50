import type { Hosts } from '../identity/hosts.ts';
import { isSidecarAddress } from '../identity/sidecar-address.ts';
import { TRACE_SIDECARS } from '../limits.ts';
import { keyOf } from './roles.ts';
import type { Vantage } from './vantages.ts';

/** In place of a host's number: the sidecar at a place, which has its pod's address. */
export const SIDECAR = -3;

/**
 * Who is who where a program and its sidecar share a network namespace, and addresses with it. The sidecar takes what is redirected
 * to it, and what comes from other hosts to a port that it serves for its program; it makes requests to its program from an
 * address of its own, and to other hosts from the pod's.
 */
export class Sidecars {
  readonly #hosts: Hosts;
  /** By place, all devices together: whether connections are redirected to the sidecar. */
  readonly #outbound = new Set<number>();
  /** By host at a place: the ports whose requests the sidecar hands to its program. */
  readonly #inbound = new Map<number, Set<number>>();

  constructor(hosts: Hosts) {
    this.#hosts = hosts;
  }

  /** A flow at its place shows a sidecar there. @param place as Places.ofInterface */
  learn(
    place: number,
    at: { clientHost: number; serverHost: number; serverPort: number; redirect?: object | undefined },
  ) {
    if (at.redirect !== undefined && this.#outbound.size < TRACE_SIDECARS) this.#outbound.add(place >>> 16);
    else if (this.#isSource(at.clientHost)) {
      const key = keyOf(place, at.serverHost);
      const ports = this.#inbound.get(key);
      if (ports !== undefined) ports.add(at.serverPort);
      else if (this.#inbound.size < TRACE_SIDECARS) this.#inbound.set(key, new Set([at.serverPort]));
    }
  }

  /** Whether nothing is known of any sidecar. */
  get areNone(): boolean {
    return this.#outbound.size + this.#inbound.size === 0;
  }

  /** Whether a call was made by the sidecar of the program that took it: between the two of one pod. */
  isToProgram({ place, clientHost, serverHost }: Vantage): boolean {
    if (this.#isSource(clientHost)) return true;
    return clientHost === serverHost && this.#outbound.has(place >>> 16);
  }

  /** Who took a call at a place, for keyOf. @param isRedirected its connection was redirected at the client's place */
  server(at: Vantage, isRedirected: boolean): number {
    if (isRedirected && this.#outbound.has(at.place >>> 16)) return SIDECAR;
    const isFromOther = !this.isToProgram(at);
    const isServed = this.#inbound.get(keyOf(at.place, at.serverHost))?.has(at.serverPort) === true;
    return isFromOther && isServed ? SIDECAR : at.serverHost;
  }

  /** Who may have made a call at a place, for keyOf. */
  clients(at: Vantage, isRedirected: boolean): readonly number[] {
    if (this.isToProgram(at)) return [SIDECAR];
    if (isRedirected || !this.#outbound.has(at.place >>> 16)) return [at.clientHost];
    return [SIDECAR, at.clientHost];
  }

  #isSource(host: number): boolean {
    return host >= 0 && isSidecarAddress(this.#hosts.text(host));
  }
}
