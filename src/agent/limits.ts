/** Bounds and times of the node side alone. Milliseconds and bytes. */

/** tcpdump's ring per network namespace, KiB (-B): bursts wait here while the agent is busy elsewhere. */
export const RING_KIB = 16_384;

/**
 * After a stop is asked for, tcpdump goes on for this long, so that packets already in the kernel's ring come out: the
 * ring hands over a block that is not full only when its timer ends (measured: up to 137 ms).
 */
export const RING_DRAIN_MS = 250;

/** tcpdump must say that it listens within this time, and end within it when told to. */
export const TCPDUMP_START_MS = 10_000;
export const TCPDUMP_END_MS = 5_000;

/** How often the processes behind the targets are looked at. */
export const LIFE_CHECK_MS = 1_000;

/** Size of one batch of framed packets on its way to stdout. */
export const BATCH_BYTES = 256 * 1024;

/** tcpdump's stderr kept for an error message. */
export const STDERR_KEPT = 4_096;

/** Events waiting on a stderr nobody reads; past it the repeated ones (counters, alive) are left out. */
export const EVENT_BACKLOG_BYTES = 256 * 1024;
