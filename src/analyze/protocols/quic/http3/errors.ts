/** Error codes of HTTP/3 and QPACK (RFC 9114 section 8.1, RFC 9204 section 6), without their `H3_`. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0x100, 'NO_ERROR'],
  [0x101, 'GENERAL_PROTOCOL_ERROR'],
  [0x102, 'INTERNAL_ERROR'],
  [0x103, 'STREAM_CREATION_ERROR'],
  [0x104, 'CLOSED_CRITICAL_STREAM'],
  [0x105, 'FRAME_UNEXPECTED'],
  [0x106, 'FRAME_ERROR'],
  [0x107, 'EXCESSIVE_LOAD'],
  [0x108, 'ID_ERROR'],
  [0x109, 'SETTINGS_ERROR'],
  [0x10a, 'MISSING_SETTINGS'],
  [0x10b, 'REQUEST_REJECTED'],
  [0x10c, 'REQUEST_CANCELLED'],
  [0x10d, 'REQUEST_INCOMPLETE'],
  [0x10e, 'MESSAGE_ERROR'],
  [0x10f, 'CONNECT_ERROR'],
  [0x110, 'VERSION_FALLBACK'],
  [0x200, 'QPACK_DECOMPRESSION_FAILED'],
  [0x201, 'QPACK_ENCODER_STREAM_ERROR'],
  [0x202, 'QPACK_DECODER_STREAM_ERROR'],
]);

export function http3ErrorName(code: number): string {
  return NAMES.get(code) ?? `error 0x${code.toString(16)}`;
}

/** Whether a code stands for no error: H3_NO_ERROR, and those reserved to exercise that (RFC 9114 section 8.1). */
export function isNoHttp3Error(code: number): boolean {
  return code === 0x100 || (code >= 0x21 && (code - 0x21) % 0x1f === 0);
}
