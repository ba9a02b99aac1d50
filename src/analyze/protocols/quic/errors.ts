import { alertName } from '../tls/alerts.ts';

const NAMES: readonly string[] = [
  'NO_ERROR',
  'INTERNAL_ERROR',
  'CONNECTION_REFUSED',
  'FLOW_CONTROL_ERROR',
  'STREAM_LIMIT_ERROR',
  'STREAM_STATE_ERROR',
  'FINAL_SIZE_ERROR',
  'FRAME_ENCODING_ERROR',
  'TRANSPORT_PARAMETER_ERROR',
  'CONNECTION_ID_LIMIT_ERROR',
  'PROTOCOL_VIOLATION',
  'INVALID_TOKEN',
  'APPLICATION_ERROR',
  'CRYPTO_BUFFER_EXCEEDED',
  'KEY_UPDATE_ERROR',
  'AEAD_LIMIT_REACHED',
  'NO_VIABLE_PATH',
];

/** A transport error's name (RFC 9000 section 20.1); of an alert of TLS: the alert's. */
export function quicErrorName(error: number): string {
  if (error >= 0x100 && error <= 0x1ff) return alertName(error & 0xff);
  return NAMES[error] ?? `error 0x${error.toString(16)}`;
}
