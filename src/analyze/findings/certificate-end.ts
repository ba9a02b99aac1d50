const DAY_MS = 86_400_000;
/** A certificate that ends so soon is reported. */
const SOON_DAYS = 14;
/** Certificates valid for less are renewed by programs: those of meshes are valid for hours, and always end soon. */
const LONG_LIVED_DAYS = 60;

/**
 * Whether a certificate has ended, or ends soon and is probably renewed by hand; undefined for neither.
 * @param from, until, at ms since 1970; NaN for what is not known
 */
export function certificateEnd(from: number, until: number, at: number): 'past' | 'soon' | undefined {
  if (until < at) return 'past';
  const isLongLived = until - from >= LONG_LIVED_DAYS * DAY_MS;
  return isLongLived && until < at + SOON_DAYS * DAY_MS ? 'soon' : undefined;
}

/** @param until ms since 1970 */
export function endText(end: 'past' | 'soon', until: number): string {
  const day = new Date(until).toISOString().slice(0, 10);
  return end === 'past' ? `has expired: it was valid until ${day}` : `expires soon: it is valid until ${day}`;
}
