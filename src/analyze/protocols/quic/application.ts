import type { Exchange, Side } from '../../record/event.ts';
import type { Bodies } from '../http1/message-body.ts';
import type { StreamEnd } from '../protocol.ts';
import type { StreamFrame } from './frames.ts';
import type { ArrivalTime, Reserve } from './received-stream.ts';

/** What an application protocol on QUIC may read and report. */
export interface ApplicationContext {
  readonly detail: boolean;
  readonly labels: boolean | undefined;
  readonly showSecrets: boolean;
  readonly bodies: Bodies | undefined;
  emit(event: Exchange): void;
  /** Memory for what waits, all connections together. */
  readonly reserve: Reserve;
  /** Requests under way take more bytes, or fewer. @returns whether all of them together are within their bound */
  countPending(bytes: number): boolean;
  /** The packet number behind the server's greatest so far. */
  readonly serverNumber: number;
  /** Whether all the server's packets from this number on, as far as they are known, were captured. */
  isServerWhole(number: number): boolean;
}

/** What is carried by a QUIC connection's streams. */
export interface ApplicationStreams {
  onStream(side: Side, frame: StreamFrame, arrival: ArrivalTime): void;
  onReset(side: Side, stream: number, error: number, arrival: ArrivalTime): void;
  /** The side wants no more of what the other sends on the stream. */
  onStop(side: Side, stream: number, error: number): void;
  /** Packet time has come so far, ns. */
  passed(now: number): void;
  /** @param by who closed the connection */
  end(how: StreamEnd, by: Side | undefined): void;
}
