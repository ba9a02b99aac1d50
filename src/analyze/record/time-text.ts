/** RFC 3339 in UTC with nine digits. @param absolute ns since 1970; a time that no date has is shown as 1970 */
export function absoluteTimeText(absolute: bigint): string {
  const nanoseconds = nanosecondsOf(absolute);
  return `${secondText(Number((absolute - nanoseconds) / 1_000_000_000n))}.${String(nanoseconds).padStart(9, '0')}Z`;
}

/** Of the second that a time is in. */
export function nanosecondsOf(absolute: bigint): bigint {
  const nanoseconds = absolute % 1_000_000_000n;
  return nanoseconds < 0n ? nanoseconds + 1_000_000_000n : nanoseconds;
}

/** `2026-07-02T14:03:07`. @param second since 1970 */
export function secondText(second: number): string {
  const date = new Date(second * 1000);
  return Number.isNaN(date.getTime()) ? '1970-01-01T00:00:00' : date.toISOString().slice(0, -5);
}
