import { usage } from './usage.ts';

const UNITS: Readonly<Record<string, number>> = {
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
  const bytes = Number(parts?.[1]) * (UNITS[(parts?.[2] ?? '').toLowerCase()] ?? Number.NaN);
  if (bytes > 0) return bytes;
  throw usage(`${flag} takes a size such as 500000, 10M or 64Mi, not "${text}".`);
}
