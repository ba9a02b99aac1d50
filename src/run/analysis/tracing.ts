/** How long a call waits for the request it may belong to, by packet time, ns: people wait too when it is live. */
export const PATIENCE_NS = 30e9;
export const PATIENCE_LIVE_NS = 2e9;

/** How long a connection may take to come up, by packet time, ns: a SYN is sent again after 1 s and 3 s. */
export const OPENING_NS = 30e9;
export const OPENING_LIVE_NS = 3.5e9;

/** How much later another place may bring the same packets. */
export const LATE_NS = 3e9;
export const LATE_LIVE_NS = 1e9;
