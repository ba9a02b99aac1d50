/** Bounds of the controller. Times are milliseconds. */

/**
 * The Lease: how long it is valid after its last renewal, within what time of it the holder stops, how often the holder renews it, how long
 * one try may take (a connection that has died is replaced then), and how often the replica that waits looks at it. A holder that is cut off
 * is followed after LEASE_MS + LEASE_LOOK_MS at most, and what the next one needs to begin. client-go's 15, 10 and 2 s would be 19 s.
 */
export const LEASE_MS = 12_000;
export const LEASE_STOP_MS = 10_000;
export const LEASE_RENEW_MS = 2_000;
export const LEASE_TRY_MS = 5_000;
export const LEASE_LOOK_MS = 1_000;

/**
 * A ticket of a running Capture is valid for so long. A permission that was withdrawn ends a stream within this time and ALLOWED_MS;
 * on a node whose clock is behind by what an agent allows (TICKET_CLOCK_MS of the agent), within a minute.
 */
export const TICKET_VALID_MS = 43_000;

/**
 * A ticket is replaced when it is so old. The client has the rest of its time to hand in the next one, also when another
 * replica takes over meanwhile.
 */
export const TICKET_RENEW_MS = 15_000;

/** A Capture that is not admitted, or whose targets are not found, is looked at again after this. */
export const AGAIN_MS = 15_000;

/** Captures whose targets are looked up at the same time: more would only make all of them late. */
export const LOOKUPS = 16;

/** Targets of one Capture that are looked up at the same time. */
export const TARGETS_AT_ONCE = 4;

/** The targets of one Capture are looked up again after a change no more often than this: a tenant may change its objects without end. */
export const RESOLVE_AGAIN_MS = 3_000;

/**
 * Lists that are read for Captures at the same time, bytes of one page and of one list: tenants make their objects as large as the API
 * server takes them, and all share the memory of the controller.
 */
export const LISTS = 8;
export const LIST_PAGE_BYTES = 4 * 1024 * 1024;
export const LIST_BYTES = 8 * 1024 * 1024;

/** Captures that are worked on at the same time. */
export const WORKERS = 24;

/** Waits after a failure of one Capture, doubled from the first to the last. */
export const RETRY_FIRST_MS = 250;
export const RETRY_LAST_MS = 30_000;

/** One Capture is looked at no more often than this, however many of its pods change. */
export const SETTLE_MS = 10;

/** An answer about a permission counts for so long, for all Captures that need it. */
export const ALLOWED_MS = 2_000;

/** Answers about permissions that are remembered. */
export const PERMISSIONS_REMEMBERED = 10_000;

/** Events that wait to be written; those beyond are dropped, and the log has their number. */
export const EVENTS_WAITING = 5_000;

/** Events of which it is remembered that they were written, so that they are not written again. */
export const EVENTS_REMEMBERED = 50_000;

/**
 * After the end of a live Capture agents are asked for what was captured so often, until its sessions have ended, and no longer than this: a
 * ticket is valid for TICKET_VALID_MS. One answer of an agent is for all Captures that end in this time.
 */
export const COUNTS_AGAIN_MS = 3_000;
export const COUNTS_WAIT_MS = 60_000;
export const COUNTS_SHARED_MS = 500;

/** Captures whose end waits for that; the events of those beyond have no amounts. */
export const ENDS_WAITING = 2_000;

/** Pods of one Capture. */
export const PODS_MAXIMUM = 256;

/** Pods of one Capture of which it is remembered, until its end, that they were captured. */
export const PODS_REMEMBERED = 1_000;

/** Nodes named in a status. */
export const NODES_NAMED = 50;

/** Captures that run at the same time. A ResourceQuota of count/captures.ksnoop.io bounds those of a namespace. */
export const RUNNING_MAXIMUM = 1_000;

/** Targets of the Captures of one namespace that run at the same time: one tenant cannot take the controller from all others. */
export const TARGETS_OF_NAMESPACE = 600;

/** Targets of all Captures that run: each has watches of its own, with a connection each, which cost some 300 KB together. */
export const TARGETS_MAXIMUM = 2_000;

/** Longest duration of a Capture. */
export const DURATION_MAXIMUM_MS = 24 * 3_600_000;

/** A policy that was created a moment ago is not enforced by every API server yet: a Capture made so early is refused. */
export const POLICY_SETTLES_MS = 3_000;

/** The same after a change, whose time is known by the controller's own clock alone: it may differ from the API server's. */
export const POLICY_CHANGED_MS = 15_000;

/** Wait before the record of the policy is read or saved again after a failure. */
export const RECORD_RETRY_MS = 5_000;

/** Characters of a message in a condition or event. */
export const MESSAGE_MAXIMUM = 1_000;
