import { EXIT, KsnoopError } from '../wire/errors.ts';
import { DURATION_MAXIMUM_MS } from '../wire/limits.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * `90s`, `1m30s`, `1.5h`, `500ms`, as Go and kubectl write durations; a bare number is seconds.
 * @returns milliseconds
 * @throws KsnoopError USAGE (exit 2) naming the flag
 */
export function durationOf(text: string, flag: string): number {
  const milliseconds = parse(text);
  if (milliseconds > 0 && milliseconds <= DURATION_MAXIMUM_MS) return milliseconds;
  throw new KsnoopError('USAGE', `${flag} takes a time such as 30s, 5m or 1h30m, up to 24h, not "${text}".`, {
    exit: EXIT.usage,
  });
}

function parse(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return Number.NaN;
  let total = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(number) * (UNITS[unit ?? ''] ?? Number.NaN);
  }
  return total;
}
