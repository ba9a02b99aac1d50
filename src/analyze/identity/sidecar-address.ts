/** What Envoy binds to for requests to its own program, so that they are not redirected to it again (Istio): 127.0.0.6 and ::6. */
const SIDECARS: ReadonlySet<string> = new Set(['127.0.0.6', '::6']);

/** Whether an address is one from which only a sidecar makes requests, to the program of its own pod. @param address RFC 5952 text */
export function isSidecarAddress(address: string): boolean {
  return SIDECARS.has(address);
}

/** A server's program where its own sidecar asks it, for people: `web.shop behind its sidecar`. */
export function behindSidecar(server: string): string {
  return `${server} behind its sidecar`;
}
