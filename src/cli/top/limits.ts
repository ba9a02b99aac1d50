/** Bounds of what `ksnoop top` keeps. */

/** Exchanges, messages and events that are listed; past it the oldest go. */
export const EVENTS_KEPT = 10_000;

/**
 * While more than so many come in a second only so many are listed: a reader cannot follow more, and what is kept for long costs the
 * collector of garbage several times what making it took.
 */
export const EVENTS_BUSY_RATE = 2_000;
export const EVENTS_KEPT_BUSY = 2_000;

/** Flows that ended and are listed; and open ones whose facts are taken. */
export const ENDED_FLOWS_KEPT = 5_000;
export const OPEN_FLOWS_LISTED = 5_000;

/** Requests of clients that are kept hop by hop, for the view of paths. */
export const TRACES_KEPT = 2_000;

/** Bytes of packets that are kept for `w` and for a flow's packets; past it the oldest go. */
export const RING_BYTES = 64 * 1024 * 1024;

/** The ring goes in pieces of so many bytes, or of one packet that is larger. */
export const RING_PIECE_BYTES = 1024 * 1024;

/** Addresses whose names are written with the packets. */
export const NAMES_KEPT = 65_536;

/** Sentences of what happened that are kept. */
export const REMARKS_KEPT = 200;
