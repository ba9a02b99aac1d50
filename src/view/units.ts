/** A number with its thousands apart and at most three decimals: `12,345`, `0.033`. Not by Intl, whose first use costs more than most commands take. */
export function grouped(count: number): string {
  const [whole = '', decimals] = String(Math.round(count * 1000) / 1000).split('.');
  const apart = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return decimals === undefined ? apart : `${apart}.${decimals}`;
}

/** A count with its noun: `1 packet`, `12,345 packets`. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}

const STEPS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes in decimal units with three digits: `512 B`, `1.23 MB`. */
export function byteSize(bytes: number): string {
  let value = bytes;
  let step = 0;
  while (value >= 1000 && step < STEPS.length - 1) {
    value /= 1000;
    step += 1;
  }
  return step === 0 ? `${value} B` : `${value.toPrecision(3)} ${STEPS[step]}`;
}

/** How much of how many bytes, in the unit of the whole: `17.5/200 kB`. */
export function byteShare(part: number, whole: number): string {
  const step = whole < 1000 ? 0 : Math.min(STEPS.length - 1, Math.floor(Math.log10(whole) / 3));
  const one = (bytes: number) => String(Number((bytes / 1000 ** step).toPrecision(3)));
  return `${one(part)}/${one(whole)} ${STEPS[step]}`;
}

/** Milliseconds in readable units: `850 ms`, `12.3 s`, `4 min 5 s`, `3 h 12 min`, `2 d 4 h`. */
export function timeSpan(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 60) {
    const hours = Math.floor(minutes / 60);
    return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
  }
  return `${minutes} min ${seconds % 60} s`;
}

/** Units with their nanoseconds, and the texts that were made of tenths and wholes of them: there are few, and they come often. */
const SPANS = (
  [
    ['ns', 1],
    ['µs', 1e3],
    ['ms', 1e6],
    ['s', 1e9],
  ] as const
).map(([unit, size]) => ({ unit, size, tenths: [] as string[], wholes: [] as string[] }));

/** A latency in two or three digits: `850 ns`, `12 µs`, `1.2 ms`, `2.3 s`, `4 min 5 s`. @param nanoseconds not negative */
export function latencyText(nanoseconds: number): string {
  for (const { unit, size, tenths, wholes } of SPANS) {
    const value = nanoseconds / size;
    if (unit !== 'ns' && value < 9.95) {
      const count = Math.round(nanoseconds / (size / 10));
      // Where it is as near to the next tenth, how the quotient was rounded decides; and what is no number of nanoseconds is seldom.
      if ((nanoseconds % (size / 10)) * 20 === size || !Number.isInteger(nanoseconds))
        return `${value.toFixed(1)} ${unit}`;
      tenths[count] ??= `${(count / 10).toFixed(1)} ${unit}`;
      return tenths[count];
    }
    if (value < 999.5 && (unit !== 's' || value < 59.5)) {
      const count = Math.round(value);
      if (count < 0) return `${count} ${unit}`;
      wholes[count] ??= `${count} ${unit}`;
      return wholes[count];
    }
  }
  return timeSpan(nanoseconds / 1e6);
}
