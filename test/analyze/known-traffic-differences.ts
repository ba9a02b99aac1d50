import type { StreamDifference } from './traffic-comparison.ts';

/** Where tshark 4.0 and ksnoop say different things of connections and HTTP, looked at one by one, and why that is to stay. */
interface KnownDifference {
  readonly file: string | RegExp;
  readonly what: readonly (string | RegExp)[];
  readonly reason: string;
}

export const KNOWN_TRAFFIC_DIFFERENCES: readonly KnownDifference[] = [];

export function isKnownDifference(difference: StreamDifference): boolean {
  return KNOWN_TRAFFIC_DIFFERENCES.some(
    ({ file, what }) =>
      (typeof file === 'string' ? file === difference.file : file.test(difference.file)) &&
      what.some((one) => (typeof one === 'string' ? one === difference.what : one.test(difference.what))),
  );
}
