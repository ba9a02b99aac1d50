import { EXIT, KsnoopError } from '../wire/errors.ts';

/** The command line cannot be used as it is: exit code 2. */
export function usage(message: string, hint?: string): KsnoopError {
  return new KsnoopError('USAGE', message, { hint, exit: EXIT.usage });
}

/**
 * The value of `-o` of a command that prints text or JSON.
 * @param command its name, for the error
 * @throws KsnoopError USAGE (exit 2)
 */
export function textOrJson(output: string | undefined, command: string): 'text' | 'json' {
  const name = output ?? 'text';
  if (name === 'text' || name === 'json') return name;
  throw usage(`${command} has no output "${name}".`, 'Its outputs are: text, json.');
}
