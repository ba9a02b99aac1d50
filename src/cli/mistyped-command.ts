import { EXIT, KsnoopError } from '../wire/errors.ts';
import { nearest } from '../wire/near.ts';

/**
 * `ksnoop instal` reaches the default command as a target of that name. When it was refused as a target, this is what the
 * user is told instead, naming the command that was meant.
 * @param commands names of all commands
 * @param isKind whether a word is a kind of targets: `ksnoop pod` lacks a name, whatever command is spelt like it
 * @returns KsnoopError UNKNOWN_COMMAND (exit 2), or undefined when no command has a name like it
 */
export function mistypedCommand(
  thrown: unknown,
  targets: readonly string[],
  commands: readonly string[],
  isKind: (word: string) => boolean = () => false,
): KsnoopError | undefined {
  const [word = ''] = targets;
  if (!(thrown instanceof KsnoopError) || thrown.code !== 'BAD_TARGET' || word.includes('/')) return undefined;
  if (isKind(word)) return undefined;
  const near = nearest(word, commands);
  if (near.length === 0) return undefined;
  const hint = `Did you mean ksnoop ${near.join(' or ')}? A pod of that name is pod/${word}.`;
  return new KsnoopError('UNKNOWN_COMMAND', `There is no command "${word}".`, {
    hint,
    exit: EXIT.usage,
    cause: thrown,
  });
}
