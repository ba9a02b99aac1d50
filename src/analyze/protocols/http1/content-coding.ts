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

/**
 * The beginning of a body without its content coding (RFC 9110, 8.4.1; RFC 8878).
 * @param encoding of Content-Encoding; empty for none
 * @param maximum bytes it may become
 * @returns undefined for a coding that is not known and a damaged body
 */
export function decompressed(
  bytes: Uint8Array,
  encoding: string,
  maximum: number,
): Uint8Array | typeof TOO_LONG | undefined {
  const coding = encoding.trim().toLowerCase();
  if (coding === '' || coding === 'identity') return bytes;
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
