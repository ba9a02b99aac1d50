/** What an agent and its worker that analyses a session's packets (src/edge) send each other. */

export type ToWorker =
  /** The next bytes of the session's stream, and how many more wait behind them. */
  | { readonly type: 'bytes'; readonly bytes: Uint8Array; readonly waiting: number }
  /** Another agent joins the capture. */
  | { readonly type: 'not-alone' };

export type ToAgent =
  /** Bytes for the client. */
  | { readonly type: 'write'; readonly bytes: Uint8Array }
  /** The bytes sent last have been analysed, and what was found in them was written before. */
  | { readonly type: 'taken' };
