/** What stands where a secret stood (`--show-secrets` shows it). */
export const MASK = '***';

/** Header fields whose values are secrets, in lower case (RFC 9110 section 11, RFC 6265). */
export const SECRET_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'x-auth-token',
]);

/** Query parameters whose values are secrets. */
const SECRET_PARAMETER =
  /([?&;](?:[\w.-]*(?:token|secret|password|passwd|api[-_]?key|signature)|pwd|auth|sig|code)=)[^&;#\s]*/gi;

/** A path with its query, the secrets in it masked. */
export function maskTarget(target: string): string {
  return target.includes('=') ? target.replace(SECRET_PARAMETER, `$1${MASK}`) : target;
}
