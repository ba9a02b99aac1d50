import { EXIT, KsnoopError } from '../../wire/errors.ts';

/** Refusals whose cause is what the user typed. */
const USAGE = new Set(['BAD_FILTER', 'UNKNOWN_INTERFACE']);

/** Refusals whose cause is that the target is not there. */
const NO_TARGET = new Set(['NO_SUCH_NAMESPACE', 'NO_SUCH_PROCESS', 'NO_SUCH_POD']);

/** What an agent says went wrong, as an error of ours with the exit code that belongs to it. */
export function agentError(event: { readonly code: string; readonly message: string; readonly hint?: string }) {
  const { code, message, hint } = event;
  const exit = USAGE.has(code) ? EXIT.usage : NO_TARGET.has(code) ? EXIT.noTarget : EXIT.failed;
  return new KsnoopError(code, message, { hint, exit });
}
