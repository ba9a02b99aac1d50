import type { Side } from '../../record/event.ts';
import type { FramedMessage } from '../framed-connection.ts';
import type { Method } from './methods.ts';

/** Channels of a connection that are followed. */
export const CHANNELS_MAXIMUM = 2048;

/** Consumers of a channel whose queues are remembered. */
const CONSUMERS_MAXIMUM = 256;

/** A method that waits for its answer. */
export interface PendingRequest {
  readonly method: Method;
  readonly requester: Side;
  readonly channel: number;
  readonly queue: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly consumerTag: string;
  readonly virtualHost: string;
  readonly message: FramedMessage;
  /** Bytes that it counts for among what is pending; 0 for one that waited behind none. */
  readonly counted: number;
}

/** Whether a side sends a method that is answered only when it has had the answer to the one before. */
type Waits = 'unknown' | 'so far' | 'never';

/** A message whose method has come and whose content header has not. */
export interface Announced {
  readonly method: Method;
  readonly queue: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly redelivered: boolean;
  readonly time: number;
}

/** An answer for which no method waited, and what it acknowledged, at most, of the side that it answers. */
export interface Orphan {
  readonly method: Method;
  readonly acknowledged: number;
}

/** What is known of one channel. */
export class Channel {
  /** In the order in which they were asked; answers to each side's come in that order. */
  readonly requests: PendingRequest[] = [];
  /** By side. */
  readonly announced: [Announced | undefined, Announced | undefined] = [undefined, undefined];
  /** By side. */
  readonly answered: [boolean, boolean] = [false, false];
  /** By side: the last answer for which no method of that side waited. */
  readonly orphans: [Orphan | undefined, Orphan | undefined] = [undefined, undefined];
  readonly waits: [Waits, Waits] = ['unknown', 'unknown'];
  readonly #queues = new Map<string, string>();
  acks = 0;
  nacks = 0;

  /** @returns the queue that a consumer is of; empty where that is not known */
  queueOf(consumerTag: string): string {
    return this.#queues.get(consumerTag) ?? '';
  }

  /** Whether a consumer is remembered: its queue may have no name. */
  hasConsumer(consumerTag: string): boolean {
    return this.#queues.has(consumerTag);
  }

  /** Whether one more consumer's queue may be remembered. */
  get hasRoom(): boolean {
    return this.#queues.size < CONSUMERS_MAXIMUM;
  }

  /** Consumers whose queues are remembered. */
  get consumers(): number {
    return this.#queues.size;
  }

  /** @param consumerTag of a consumer that is not remembered, or is again */
  consumes(consumerTag: string, queue: string): void {
    this.#queues.set(consumerTag, queue);
  }
}

/** Acknowledged and refused messages of several channels. */
export function countsOf(channels: Iterable<Channel>): { acks: number; nacks: number } {
  let acks = 0;
  let nacks = 0;
  for (const channel of channels) {
    acks += channel.acks;
    nacks += channel.nacks;
  }
  return { acks, nacks };
}
