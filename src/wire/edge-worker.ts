/** What an agent and its worker that analyses a session's packets (src/edge) send each other. */

/** The next bytes of the session's stream, and how many more wait behind them. */
export interface ToWorker {
  readonly bytes: Uint8Array;
  readonly waiting: number;
}

export type ToAgent =
  /** Bytes for the client. */
  | { readonly type: 'write'; readonly bytes: Uint8Array }
  /** The bytes sent last have been analysed, and what was found in them was written before. */
  | { readonly type: 'taken' };
