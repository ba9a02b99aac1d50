import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib';

/** What a body that becomes longer than allowed is decompressed to. */
export const TOO_LONG = 'too long';

/** Codings of one body that are undone; more are hardly meant well. */
const CODINGS_MAXIMUM = 4;

/**
 * The beginning of a body without its content codings (RFC 9110, 8.4; RFC 8878).
 * @param encoding of Content-Encoding, in the order in which they were applied: `gzip, br`; empty for none
 * @param maximum bytes it may become
 * @returns undefined for a coding that is not known and a damaged body
 */
export function decompressed(
  bytes: Uint8Array,
  encoding: string,
  maximum: number,
): Uint8Array | typeof TOO_LONG | undefined {
  const codings = encoding
    .toLowerCase()
    .split(',', 100)
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity');
  if (codings.length > CODINGS_MAXIMUM) return undefined;
  let plain = bytes;
  for (const coding of codings.toReversed()) {
    const next = withoutCoding(plain, coding, maximum);
    if (next === undefined || next === TOO_LONG) return next;
    plain = next;
  }
  return plain;
}

function withoutCoding(bytes: Uint8Array, coding: string, maximum: number): Uint8Array | typeof TOO_LONG | undefined {
  // The end may be missing: what can be decompressed is taken.
  const partly = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: maximum };
  try {
    if (coding === 'gzip' || coding === 'x-gzip') return gunzipSync(bytes, partly);
    if (coding === 'deflate')
      return ((bytes[0] ?? 0) & 0x0f) === 8 ? inflateSync(bytes, partly) : inflateRawSync(bytes, partly);
    if (coding === 'br')
      return brotliDecompressSync(bytes, { ...partly, finishFlush: constants.BROTLI_OPERATION_FLUSH });
    if (coding === 'zstd') return zstdDecompressSync(bytes, { ...partly, finishFlush: constants.ZSTD_e_flush });
  } catch (error) {
    return error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
      ? TOO_LONG
      : undefined;
  }
  return undefined;
}
