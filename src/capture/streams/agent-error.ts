import { isErrorCode, KsnoopError } from '../../wire/errors.ts';

/** An error that an agent reports, as a KsnoopError. A code that only a newer agent has stays in the message. */
export function agentError(event: { readonly code: string; readonly message: string; readonly hint?: string }) {
  const { code, message, hint } = event;
  if (isErrorCode(code)) return new KsnoopError(code, message, { hint });
  return new KsnoopError('AGENT_ERROR', `${message} (${code})`, { hint });
}
