import type { Exchange, Message } from '../../../src/analyze/record/event.ts';
import type { Random } from '../../support/random.ts';

/** One request with its answer, as bytes; what the analysis states of both can be told from every other's. */
export interface MadeExchange {
  readonly request: Buffer;
  readonly response: Buffer;
  readonly failed: boolean;
  /** What the client sends right before the request, and the server right behind the answer; neither is of the exchange. */
  readonly before?: Buffer;
  readonly after?: Buffer;
  /** Of a protocol of messages: how many bytes the request and the answer carry. */
  readonly messages?: readonly [request: number, answer: number];
}

/** A conversation of one connection, and how to read back from an event which request and which answer it states. */
export interface MadeConversation {
  readonly protocol: string;
  readonly port: number;
  /** TCP unless it says otherwise; over UDP each request and each answer is a datagram. */
  readonly transport?: 'tcp' | 'udp';
  /** What comes before the first request, one after the other: 0 for the client's bytes, 1 for the server's. */
  readonly opening: readonly (readonly [side: 0 | 1, bytes: Buffer])[];
  readonly exchanges: readonly MadeExchange[];
  /** Answers may come in any order. */
  readonly anyOrder: boolean;
  /** The client always waits for an answer before it asks again. */
  readonly isSerial?: boolean;
  /** The index of the request that an event states; undefined where it states none. */
  requestOf(event: Exchange): number | undefined;
  /** The index of the answer that an event states; undefined where it states none. */
  answerOf(event: Exchange): number | undefined;
  /** What else the event states wrongly of that request's exchange. */
  problemOf?(event: Exchange, request: number | undefined): string | undefined;
  /** Of a protocol of messages: the index of the exchange that a message is of. */
  messageOf?(event: Message): number | undefined;
}

/** Makes a conversation of so many exchanges. */
export type ConversationMaker = (count: number, random: Random) => MadeConversation;

/** The number in a text such as `GET /r17`. */
export function numberIn(text: string, pattern: RegExp): number | undefined {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** Bytes that say nothing, to make messages of many lengths. */
export function filler(length: number, letter = 'x'): string {
  return letter.repeat(length);
}
