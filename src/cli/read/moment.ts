import type { Moment } from '../../run/convert/selection.ts';
import { usage } from '../usage.ts';

const NANOSECONDS = 1_000_000_000n;
const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  ms: 1_000_000n,
  s: NANOSECONDS,
  m: 60n * NANOSECONDS,
  h: 3600n * NANOSECONDS,
};

/**
 * What `--from` and `--to` take: `2026-11-23T14:03:07.5Z`, `14:03:07.25`, `1764380000.5` (epoch), `+1m30s` after the first
 * packet, `-5s` before the last one.
 * @param utc times of day without a zone are UTC, not local
 * @throws KsnoopError USAGE (exit 2)
 */
export function momentOf(text: string, flag: string, utc: boolean): Moment {
  const span = /^[+-]/.test(text) ? nanosecondsOf(text.slice(1)) : undefined;
  if (span !== undefined) return { kind: text.startsWith('+') ? 'after' : 'before end', nanoseconds: span };
  const moment = epoch(text) ?? timeOfDay(text, utc) ?? date(text, utc);
  if (moment !== undefined) return moment;
  throw usage(
    `${flag} takes a time, not "${text}".`,
    'For example 2026-11-23T14:03:07Z, 14:03:07.25 (of the day of the first packet), 1764380000 (seconds since 1970), +90s (after the first packet), or -5s (before the last packet).',
  );
}

/**
 * What `--since` takes: a span before the last packet, `2m`, or a time as `--from` takes it.
 * @throws KsnoopError USAGE (exit 2)
 */
export function sinceOf(text: string, utc: boolean): Moment {
  const span = nanosecondsOf(text);
  return span === undefined ? momentOf(text, '--since', utc) : { kind: 'before end', nanoseconds: span };
}

/** `90s`, `1m30s`, `250ms`; undefined for anything else. */
function nanosecondsOf(text: string): bigint | undefined {
  const parts = [...text.matchAll(/(\d{1,9})(?:\.(\d{1,9}))?(ns|us|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) return undefined;
  return parts.reduce((all, [, whole = '0', part = '', unit = 's']) => {
    const scale = UNITS[unit] ?? NANOSECONDS;
    return all + BigInt(whole) * scale + (BigInt(part.padEnd(9, '0')) * scale) / NANOSECONDS;
  }, 0n);
}

/** Seconds since 1970, as `date +%s` and tshark's frame.time_epoch print them, with or without a fraction. */
function epoch(text: string): Moment | undefined {
  const parts = /^@?(\d{9,10})(?:\.(\d{1,9}))?$/.exec(text);
  if (parts === null) return undefined;
  const nanoseconds = BigInt(parts[1] ?? 0) * NANOSECONDS + BigInt((parts[2] ?? '').padEnd(9, '0'));
  return { kind: 'absolute', nanoseconds };
}

function timeOfDay(text: string, utc: boolean): Moment | undefined {
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$/.exec(text);
  if (clock === null) return undefined;
  const [hours, minutes, seconds] = [Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0)];
  if (hours >= 24 || minutes >= 60 || seconds >= 61) return undefined;
  const whole = BigInt(hours * 3600 + minutes * 60 + seconds) * NANOSECONDS;
  return { kind: 'time of day', utc, nanoseconds: whole + BigInt((clock[4] ?? '').padEnd(9, '0')) };
}

/** RFC 3339, also with a blank for the T and without a zone. */
function date(text: string, utc: boolean): Moment | undefined {
  const parts = /^(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})?$/.exec(text);
  if (parts === null) return undefined;
  const zone = parts[3] ?? (utc ? 'Z' : '');
  const milliseconds = Date.parse(`${parts[1]?.replace(' ', 'T')}${zone}`);
  if (!Number.isFinite(milliseconds)) return undefined;
  return { kind: 'absolute', nanoseconds: BigInt(milliseconds) * 1_000_000n + BigInt((parts[2] ?? '').padEnd(9, '0')) };
}
