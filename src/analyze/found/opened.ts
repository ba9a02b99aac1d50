import { FOUND_OPENED } from '../limits.ts';
import { RecentMap } from '../recent-map.ts';
import type { KnownFlow } from './found-flow.ts';

/** A connection has sent so many bytes at the most until a place sees it for the first time. */
const BYTES_MAXIMUM = 2 ** 24;

/** How much later than a place begins its clock may say that a connection opened, ns. */
const CLOCKS_NS = 1e9;

interface Opened {
  readonly flow: KnownFlow;
  readonly time: number;
  readonly initial: readonly [client: number, server: number];
}

/**
 * TCP connections whose handshake one node saw: another node that begins later, or again after its agent was lost, sees them from
 * their middle. They are one where the client's address and port are the same and the sequence numbers go on from the handshake's.
 */
export class OpenedConnections {
  /** By the client's address and port. */
  readonly #opened = new RecentMap<string, Opened>(FOUND_OPENED);

  /** A handshake was seen. @param initial both sequence numbers, int32 @param time ns */
  shown(flow: KnownFlow, initial: readonly [client: number, server: number], time: number): void {
    if (flow.client !== undefined) this.#opened.set(flow.client, { flow, time, initial });
  }

  /**
   * The connection that a flow is, of which a segment from its middle was seen.
   * @param sequence its sequence number, int32
   * @param began when its place of capture began, ns: what opened later it would have seen
   */
  of(flow: KnownFlow, sequence: number, began: number): KnownFlow | undefined {
    const opened = flow.client === undefined ? undefined : this.#opened.get(flow.client);
    if (opened === undefined || opened.flow.stream === flow.stream || opened.flow.path === flow.path) return undefined;
    if (opened.time > began + CLOCKS_NS) return undefined;
    const goesOn = opened.initial.some((initial) => {
      const sent = (sequence - initial) >>> 0;
      return sent > 0 && sent < BYTES_MAXIMUM;
    });
    return goesOn ? opened.flow : undefined;
  }
}
