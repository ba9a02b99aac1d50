import type { KsnoopError } from '../../wire/errors.ts';

/** How a session with an agent ended. */
export type TransportEnd =
  | { readonly kind: 'exited'; readonly code: number }
  /** It never ran, or was refused. */
  | { readonly kind: 'failed'; readonly error: KsnoopError }
  /** It ran, and the way to it broke. */
  | { readonly kind: 'lost'; readonly error: KsnoopError };

export interface TransportHandlers {
  /** Bytes of the agent's stdout; the chunk may be kept. */
  stdout(chunk: Uint8Array): void;
  stderr(chunk: Uint8Array): void;
  /** A detail for the log: a connection that was resumed. */
  note?(text: string): void;
  /** The API server has let the connection through, and the request has left: what follows is the node's work. */
  underWay?(): void;
  /** Why the session before this one was lost, as is known only now; a sentence. */
  explainLoss?(reason: string): void;
  /**
   * What will be written first. A transport that can send it before its agent has answered does so, and reports it by
   * `openingSent`.
   */
  readonly opening?: string | undefined;
}

/**
 * A running `ksnoop-agent capture`, wherever it is: behind the API server's exec or port-forward, or a child process on
 * this machine.
 * Nothing is delivered while paused, and nothing grows.
 */
export interface AgentTransport {
  /** The handlers' `opening` is on its way: it is not to be written again. */
  readonly openingSent?: boolean;
  /** To the agent's stdin. */
  write(text: string): void;
  pause(): void;
  resume(): void;
  /** Settles when stdout and stderr have been delivered to their last byte. */
  readonly ended: Promise<TransportEnd>;
  /** How long the agent may be silent; left out where nothing is resumed. Milliseconds. */
  readonly silenceMs?: number;
  /** For people: `exec`, `port-forward`. */
  readonly name?: string;
  /** Break off at once. */
  terminate(): void;
}

/** Starts the agent; rejects with a KsnoopError when it cannot be reached. */
export type OpenTransport = (handlers: TransportHandlers, signal: AbortSignal) => Promise<AgentTransport>;
