import type { Rotation } from '../../run/rotation/rotating-output.ts';
import { usage } from '../usage.ts';
import { durationOf, sizeOf } from '../values.ts';

/** What commander hands over, before it is believed. */
export interface RawRotationOptions {
  readonly fileSize?: string;
  readonly fileTime?: string;
  readonly files?: string;
  readonly ring?: boolean;
}

/**
 * tcpdump's -C, -G and -W: with a size alone -W is a ring, with a time it ends the capture; --ring makes a ring of both.
 * @param path where -w writes to
 * @returns undefined when everything goes into one file
 * @throws KsnoopError USAGE (exit 2)
 */
export function completeRotation(raw: RawRotationOptions, path: string | undefined): Rotation | undefined {
  const { fileSize, fileTime, files, ring } = raw;
  if (fileSize === undefined && fileTime === undefined) {
    if (files === undefined && ring !== true) return undefined;
    throw usage('-W and --ring need a size or a time after which another file begins.', 'Add -C SIZE or -G TIME.');
  }
  if (path === undefined || path === '-') throw usage('-C and -G begin new files, so they need -w FILE.');
  if (ring === true && files === undefined) throw usage('--ring keeps the newest files: set their number with -W.');
  const count = files === undefined ? Number.POSITIVE_INFINITY : Number(/^\d{1,6}$/.test(files) ? files : Number.NaN);
  if (!(count >= 1)) throw usage(`-W takes a whole number above 0, not "${files}".`);
  return {
    // A bare number is tcpdump's: millions of bytes.
    bytes: fileSize === undefined ? Number.POSITIVE_INFINITY : sizeOf(millions(fileSize), '-C'),
    intervalMs: fileTime === undefined ? Number.POSITIVE_INFINITY : durationOf(fileTime, '-G'),
    files: count,
    ring: ring === true || (files !== undefined && fileTime === undefined),
  };
}

function millions(text: string): string {
  return /^\d+$/.test(text) ? `${text}M` : text;
}
