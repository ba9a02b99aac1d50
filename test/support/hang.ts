/**
 * How long tests wait for a state before they call it a hang, milliseconds. It says nothing about how fast anything is:
 * where CI is busy, a process start alone may take seconds.
 */
export const HANG_MS = 180_000;
