/** Bounds of what is said on stderr. */

/** Targets that join, leave or fail are told one by one, up to this many in this many milliseconds; the rest is counted. */
export const COMINGS_TOLD = 20;
export const COMINGS_TOLD_MS = 10_000;
