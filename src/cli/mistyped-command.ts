import { statSync } from 'node:fs';
import { EXIT, KsnoopError } from '../wire/errors.ts';
import { nearest } from '../wire/near.ts';
import { isCaptureName } from './capture-files.ts';
import { OUTPUT_WORDS } from './foreign-flags.ts';
import { shellWord } from './shell-word.ts';

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

/** Words that a packet filter begins with: as tcpdump takes it, behind everything else. */
const FILTER = /^(?:tcp|udp|sctp|icmp6?|ip6?|arp|port|portrange|host|net|src|dst|proto|not)$/;

/**
 * `ksnoop logs web` reaches the default command as a kind of that name, `ksnoop summary a.pcap` too.
 * @returns KsnoopError UNKNOWN_COMMAND (exit 2) where the first word is a command of another tool or an output's name
 */
export function foreignCommand([word = '', next]: readonly string[]): KsnoopError | undefined {
  if (Object.hasOwn(INSTEAD, word)) return unknownWord(word, INSTEAD[word] ?? '');
  if (next === undefined || word.includes('/')) return undefined;
  const isFile = isCaptureName(next);
  const isExact = OUTPUT_WORDS.has(word) && (isFile || next.includes('/'));
  const output = isExact ? word : isFile ? nearest(word, [...OUTPUT_WORDS])[0] : undefined;
  return output === undefined
    ? undefined
    : unknownWord(word, `An output follows -o: ksnoop ${shellWord(next)} -o ${output}`);
}

/** Whether words were refused as targets: they may have been meant otherwise. */
export function isRefusedTarget(thrown: unknown): thrown is KsnoopError {
  return thrown instanceof KsnoopError && thrown.code === 'BAD_TARGET';
}

/**
 * What words that were refused as targets most likely are: a packet filter without -f, a file, or everything.
 * @returns KsnoopError BAD_TARGET (exit 2), or undefined where nothing is known
 */
export function mistakenTarget(thrown: unknown, targets: readonly string[]): KsnoopError | undefined {
  if (!isRefusedTarget(thrown)) return undefined;
  const refused = (message: string, hint: string) =>
    new KsnoopError('BAD_TARGET', message, { hint, exit: EXIT.usage, cause: thrown });
  const at = targets.findIndex((word) => FILTER.test(word.split(/\s/)[0] ?? ''));
  if (at !== -1 && !targets.slice(at).some((word) => word.includes('/') && /^[a-z]+\/[\w*-]/.test(word))) {
    const filter = targets.slice(at).join(' ');
    const before = at === 0 ? 'TARGET' : targets.slice(0, at).map(shellWord).join(' ');
    return refused(`"${filter}" is no target.`, `A packet filter follows -f: ksnoop ${before} -f ${shellWord(filter)}`);
  }
  const [word = ''] = targets;
  if (word === 'all' || word === '*') {
    return refused(
      `"${word}" is no target.`,
      'All pods of a namespace: ksnoop ns/NAME; of the cluster: ksnoop -A "pod/*"',
    );
  }
  const stat = statSync(word, { throwIfNoEntry: false });
  if (stat?.isDirectory()) {
    return refused(`"${word}" is a directory.`, `To read the captures in it: ksnoop read ${shellWord(word)}`);
  }
  if (stat?.isFile()) {
    return refused(
      `The file "${word}" is not a pcap or pcapng file.`,
      `To capture the pod of that name: ksnoop pod/${word}`,
    );
  }
  return undefined;
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
  if (!isRefusedTarget(thrown) || word.includes('/')) return undefined;
  if (isKind(word)) return undefined;
  if (commands.includes(word)) {
    const hint = `A command comes before its flags: ksnoop ${word} FLAGS. A pod of that name is pod/${word}.`;
    return new KsnoopError('UNKNOWN_COMMAND', `The command "${word}" is behind a flag.`, {
      hint,
      exit: EXIT.usage,
      cause: thrown,
    });
  }
  const near = nearest(word, commands);
  if (near.length === 0) return undefined;
  return unknownWord(word, `Did you mean ksnoop ${near.join(' or ')}? A pod of that name is pod/${word}.`, thrown);
}

function unknownWord(word: string, hint: string, cause?: KsnoopError): KsnoopError {
  return new KsnoopError('UNKNOWN_COMMAND', `Unknown command or target "${word}".`, { hint, exit: EXIT.usage, cause });
}
