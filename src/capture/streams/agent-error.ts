import { isErrorCode, KsnoopError } from '../../wire/errors.ts';

/** What an agent reports as wrong, as a KsnoopError. A code that only a newer agent knows stays in the message. */
export function agentError(event: { readonly code: string; readonly message: string; readonly hint?: string }) {
  const { code, message, hint } = event;
  if (isErrorCode(code)) return new KsnoopError(code, message, { hint });
  return new KsnoopError('AGENT_ERROR', `${message} (${code})`, { hint });
}
