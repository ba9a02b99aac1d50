const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000 };

/** @returns milliseconds of `8h`, `1h30m`, `90s`; undefined for another text */
export function parseDuration(text: string): number | undefined {
  if (!/^([0-9]{1,9}[hms])+$/.test(text)) return undefined;
  const parts = text.match(/[0-9]+[hms]/g) ?? [];
  return parts.reduce((total, part) => total + Number(part.slice(0, -1)) * (UNITS[part.slice(-1)] ?? 0), 0);
}
