/** Bounds of the screen of `ksnoop top`. */

/** Least time between two frames: ten a second. */
export const FRAME_MS = 100;

/** Time between two looks at what has changed: at least, as a multiple of what a look and its drawing took, at most. */
export const REFRESH_MS = 250;
export const REFRESH_SHARE = 150;
export const REFRESH_LAST_MS = 1_500;

/** How long a message stays in the last line. */
export const MESSAGE_MS = 6_000;

/** The smallest screen that is drawn on. */
export const COLUMNS_MINIMUM = 40;
export const ROWS_MINIMUM = 8;

/** Of one exchange: packets of its flow that are searched, packets that are shown, and bytes of one of them. */
export const FLOW_PACKETS_SEARCHED = 5_000;
export const PACKETS_SHOWN = 100;
export const PACKET_BYTES_SHOWN = 4_096;

/** Of one name: events that are searched for its last lookups, and lookups that are shown. */
export const LOOKUPS_SEARCHED = 5_000;
export const LOOKUPS_SHOWN = 50;

/** Of one finding: flows and exchanges that are shown, and events that are searched for these. */
export const FINDING_FLOWS_SHOWN = 3;
export const FINDING_EXCHANGES_SHOWN = 20;
export const FINDING_EVENTS_SEARCHED = 5_000;
