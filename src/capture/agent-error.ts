import { EXIT, KsnoopError } from '../wire/errors.ts';

/** Refusals whose cause is what the user typed. */
const USAGE = new Set(['BAD_FILTER', 'UNKNOWN_INTERFACE']);

/** What an agent says went wrong, as an error of ours with the exit code that belongs to it. */
export function agentError(event: { readonly code: string; readonly message: string; readonly hint?: string }) {
  const { code, message, hint } = event;
  return new KsnoopError(code, message, { hint, exit: USAGE.has(code) ? EXIT.usage : undefined });
}
