import { DURATION_MAXIMUM_MS, SNAPLEN_DEFAULT, SNAPLEN_MAXIMUM } from '../wire/limits.ts';
import { usage } from './usage.ts';

/** Values of flags: times, sizes and counts as people write them. */

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * `90s`, `1m30s`, `1.5h`, `500ms`, as Go and kubectl write durations; a bare number is seconds.
 * @returns milliseconds
 * @throws KsnoopError USAGE (exit 2) naming the flag
 */
export function durationOf(text: string, flag: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds > 0 && milliseconds <= DURATION_MAXIMUM_MS) return milliseconds;
  throw usage(`${flag} takes a time such as 30s, 5m or 1h30m, up to 24h, not "${text}".`);
}

function parseDuration(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return Number.NaN;
  let total = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(number) * (MILLISECONDS[unit ?? ''] ?? Number.NaN);
  }
  return total;
}

const BYTES: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
};

/**
 * `500000`, `10M`, `64Mi`: Kubernetes' quantities.
 * @returns bytes
 * @throws KsnoopError USAGE (exit 2) naming the flag
 */
export function sizeOf(text: string, flag: string): number {
  const parts = /^(\d{1,15})(|[kmg]i?)b?$/i.exec(text);
  const bytes = Number(parts?.[1]) * (BYTES[(parts?.[2] ?? '').toLowerCase()] ?? Number.NaN);
  if (bytes > 0) return bytes;
  throw usage(`${flag} takes a size such as 500000, 10M or 64Mi, not "${text}".`);
}

/** A whole number above 0. @throws KsnoopError USAGE (exit 2) naming the flag */
export function wholeOf(text: string, flag: string): number {
  if (/^\d{1,15}$/.test(text) && Number(text) > 0) return Number(text);
  throw usage(`${flag} takes a whole number above 0, not "${text}".`);
}

/**
 * The value of tcpdump's -s: bytes kept of each packet.
 * @param text undefined and `0` are the default
 * @throws KsnoopError USAGE (exit 2)
 */
export function snaplenOf(text: string | undefined): number {
  if (text === undefined || text === '0') return SNAPLEN_DEFAULT;
  const snaplen = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
  if (snaplen >= 1 && snaplen <= SNAPLEN_MAXIMUM) return snaplen;
  throw usage(`-s takes 0 to ${SNAPLEN_MAXIMUM} bytes, not "${text}".`);
}
