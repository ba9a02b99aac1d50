import type { Difference } from './layer-comparison.ts';

/** Where tshark 4.0 and ksnoop say different things of a frame, looked at one by one, and why that is to stay. */
interface KnownDifference {
  readonly file: string;
  readonly frames: readonly number[];
  readonly fields: readonly string[];
  readonly reason: string;
}

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [];

export function isKnown(difference: Difference): boolean {
  return KNOWN_DIFFERENCES.some(
    ({ file, frames, fields }) =>
      file === difference.file && frames.includes(difference.frame) && fields.includes(difference.field),
  );
}
