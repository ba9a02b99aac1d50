import type { Clock } from '../engine/clock.ts';
import type { Bodies } from '../protocols/http1/message-body.ts';
import type { KeyLog } from '../protocols/tls/decrypt/key-log.ts';
import type { AnalysisEvent } from '../record/event.ts';
import type { TcpStream } from './stream.ts';
import type { StreamNumbers } from './stream-numbers.ts';

/** What a stream needs of the analysis it belongs to. */
export interface StreamHost {
  readonly clock: Clock;
  readonly numbers: StreamNumbers;
  readonly detail: boolean;
  /** Labels of exchanges are shown, also without detail. */
  readonly labels?: boolean;
  /** As StreamContext. */
  readonly late: boolean;
  /** Connections that are the other leg of one seen before go without detail. */
  readonly firstLegs: boolean;
  /** What these carry is not decoded. */
  readonly firstLegsOnly: boolean;
  readonly showSecrets: boolean;
  readonly bodies: Bodies | undefined;
  /** As StreamContext. */
  readonly topicNames?: Map<string, string>;
  /** Secrets of TLS connections. */
  readonly keys?: KeyLog | undefined;
  /** What requests pending behind others take on all streams, bytes: see StreamContext.countPending. */
  pendingBytes: number;
  /** The number of the flow whose bytes are handed out too, as FlowInfo.id; -1 for none. */
  readonly followed: number;
  /** Bytes of that flow, or of a hole in it: `bytes` undefined, from 0 to its length. */
  follow(stream: TcpStream, direction: number, bytes: Uint8Array | undefined, start: number, end: number): void;
  isOtherLeg(stream: TcpStream): boolean;
  /**
   * Whether a stream is another leg of a connection that shows none of a direction's bytes: they pass there with other addresses.
   * A bridge in front of masquerading shows only what the server sends so.
   */
  isHalfLeg(stream: TcpStream, direction: number): boolean;
  event(stream: TcpStream, event: AnalysisEvent): void;
  /** The protocol's words show who is the client; the connection's beginning was not seen. */
  swapEndpoints(stream: TcpStream): void;
  /** The int32 sequence number that follows the last byte handed on of a direction; undefined before any is known. */
  nextSequence(stream: TcpStream, direction: number): number | undefined;
  /**
   * Of a direction nothing was handed on yet, and it began at this sequence number, int32, or before: what is known of a later
   * beginning was that of the first bytes captured.
   */
  beginsAt(stream: TcpStream, direction: number, sequence: number): void;
  finSeen(stream: TcpStream, direction: number): boolean;
}
