import { EXIT, KsnoopError } from '../wire/errors.ts';

/** What the user typed cannot be meant: exit code 2. */
export function usage(message: string, hint?: string): KsnoopError {
  return new KsnoopError('USAGE', message, { hint, exit: EXIT.usage });
}
