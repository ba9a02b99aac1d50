import { EXIT, KsnoopError } from '../wire/errors.ts';
import { nearest } from '../wire/near.ts';

/** Commands of other tools, and what does the same here. */
const INSTEAD: Readonly<Record<string, string>> = {
  logs: 'Requests line by line: ksnoop pod/NAME -o text. What the containers print: kubectl logs',
  tail: 'Requests line by line: ksnoop svc/NAME -o text',
  tap: 'Requests line by line: ksnoop svc/NAME -o text',
  observe: 'Requests line by line: ksnoop svc/NAME -o text',
  get: 'What can be captured: ksnoop help targets. To list objects: kubectl get',
  describe: 'What would be captured: ksnoop TARGET --dry-run',
  exec: 'ksnoop runs nothing in the pod. To capture it: ksnoop pod/NAME',
  list: 'To list objects: kubectl get pods. What would be captured: ksnoop TARGET --dry-run',
  ls: 'To list objects: kubectl get pods. What would be captured: ksnoop TARGET --dry-run',
  sniff: 'A pod in Wireshark: ksnoop pod/NAME --wireshark',
};

/**
 * `ksnoop logs web` reaches the default command as a kind of that name.
 * @returns KsnoopError UNKNOWN_COMMAND (exit 2) where the first word is a command of another tool
 */
export function foreignCommand([word = '']: readonly string[]): KsnoopError | undefined {
  const hint = Object.hasOwn(INSTEAD, word) ? INSTEAD[word] : undefined;
  return hint === undefined ? undefined : unknownWord(word, hint);
}

/**
 * `ksnoop instal` reaches the default command as a target of that name. When it was refused as a target, this is what the
 * user gets instead, naming the command that was meant.
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
  return unknownWord(word, `Did you mean ksnoop ${near.join(' or ')}? A pod of that name is pod/${word}.`, thrown);
}

function unknownWord(word: string, hint: string, cause?: KsnoopError): KsnoopError {
  return new KsnoopError('UNKNOWN_COMMAND', `Unknown command or target "${word}".`, { hint, exit: EXIT.usage, cause });
}
