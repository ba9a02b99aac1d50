/** What stands where a secret stood (`--show-secrets` shows it). */
export const MASK = '***';
