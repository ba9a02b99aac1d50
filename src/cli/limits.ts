/** Limits of what is printed on stderr. */

/** Targets that join, leave or fail are reported one by one, up to this many in this many milliseconds; the rest is counted. */
export const CHANGES_SHOWN = 20;
export const CHANGES_SHOWN_MS = 10_000;
