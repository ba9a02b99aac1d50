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
 * What `--from` and `--to` take: `2026-11-23T14:03:07.5Z`, `14:03:07.25`, `+90s`, `+1m30s`.
 * @throws KsnoopError USAGE (exit 2)
 */
export function momentOf(text: string, flag: string): Moment {
  if (text.startsWith('+')) {
    const parts = [...text.slice(1).matchAll(/(\d{1,9})(?:\.(\d{1,9}))?(ns|us|ms|s|m|h)/g)];
    if (parts.length > 0 && parts.map(([part]) => part).join('') === text.slice(1)) {
      const sum = parts.reduce((all, [, whole = '0', part = '', unit = 's']) => {
        const scale = UNITS[unit] ?? NANOSECONDS;
        return all + BigInt(whole) * scale + (BigInt(part.padEnd(9, '0')) * scale) / NANOSECONDS;
      }, 0n);
      return { kind: 'after', nanoseconds: sum };
    }
  }
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$/.exec(text);
  if (clock !== null) {
    const [hours, minutes, seconds] = [Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0)];
    if (hours < 24 && minutes < 60 && seconds < 61) {
      const whole = BigInt(hours * 3600 + minutes * 60 + seconds) * NANOSECONDS;
      return { kind: 'time of day', nanoseconds: whole + BigInt((clock[4] ?? '').padEnd(9, '0')) };
    }
  }
  const date = /^(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})?$/.exec(text);
  const milliseconds = date === null ? Number.NaN : Date.parse(`${date[1]?.replace(' ', 'T')}${date[3] ?? ''}`);
  if (date !== null && Number.isFinite(milliseconds)) {
    return {
      kind: 'absolute',
      nanoseconds: BigInt(milliseconds) * 1_000_000n + BigInt((date[2] ?? '').padEnd(9, '0')),
    };
  }
  throw usage(
    `${flag} takes a time, not "${text}".`,
    'For example 2026-11-23T14:03:07Z, 14:03:07.25 (of the first packet), or +90s (after the first packet).',
  );
}
