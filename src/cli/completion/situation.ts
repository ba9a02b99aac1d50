import type { Command, Option } from 'commander';

/** Where the cursor stands. */
export interface Situation {
  /** The command the words before have chosen. */
  readonly command: Command;
  /** No word names the command yet, so it may still become any. */
  readonly open: boolean;
  readonly positionals: readonly string[];
  /** Values of the flags before the cursor, by their long names. */
  readonly values: ReadonlyMap<string, string>;
  /** What is being typed: a flag's name, a flag's value, or another word. */
  readonly typing:
    | { readonly kind: 'flag'; readonly text: string }
    | { readonly kind: 'value'; readonly option: Option; readonly text: string; readonly before: string }
    | { readonly kind: 'word'; readonly text: string };
}

/** Read the words as commander will: what is known of a command line that is not finished. */
export function situationOf(root: Command, words: readonly string[]): Situation {
  let command = root;
  const done = words.slice(0, -1);
  let at = 0;
  for (;;) {
    const next = command.commands.find((child) => [child.name(), ...child.aliases()].includes(done[at] ?? ''));
    if (next === undefined) break;
    command = next;
    at += 1;
  }
  const open = command.commands.length > 0;
  // The default command takes what names none.
  const acting = command === root ? (root.commands.find((child) => child.name() === 'capture') ?? root) : command;
  return { ...typed(acting, done.slice(at), words.at(-1) ?? ''), open: open && at === done.length };
}

function typed(command: Command, before: readonly string[], last: string): Omit<Situation, 'open'> {
  const values = new Map<string, string>();
  const positionals: string[] = [];
  let waiting: Option | undefined;
  let flagsEnded = false;
  for (const word of before) {
    if (waiting !== undefined) {
      values.set(waiting.attributeName(), word);
      waiting = undefined;
    } else if (word === '--' && !flagsEnded) {
      flagsEnded = true;
    } else if (!flagsEnded && word.startsWith('-') && word !== '-') {
      const { option, value } = flagOf(command, word);
      if (option !== undefined && value !== undefined) values.set(option.attributeName(), value);
      else if (option?.required === true) waiting = option;
      else if (option !== undefined) values.set(option.attributeName(), 'true');
    } else {
      positionals.push(word);
    }
  }
  const rest = { command, positionals, values };
  if (waiting !== undefined) return { ...rest, typing: { kind: 'value', option: waiting, text: last, before: '' } };
  if (flagsEnded || !last.startsWith('-') || last === '-') {
    const kind = last === '-' && !flagsEnded ? 'flag' : 'word';
    return { ...rest, typing: { kind, text: last } };
  }
  const { option, value, name } = flagOf(command, last);
  if (option === undefined || value === undefined) return { ...rest, typing: { kind: 'flag', text: last } };
  return { ...rest, typing: { kind: 'value', option, text: value, before: name } };
}

/** `--context=x`, `--context`, `-nx`, `-n`, `-qn x`: which flag that takes a value it is, and the value if it is there. */
function flagOf(
  command: Command,
  word: string,
): { option: Option | undefined; value: string | undefined; name: string } {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=');
    const long = equals < 0 ? word : word.slice(0, equals);
    const option = command.options.find((known) => known.long === long);
    return { option, value: equals < 0 ? undefined : word.slice(equals + 1), name: word.slice(0, equals + 1) };
  }
  for (let at = 1; at < word.length; at++) {
    const option = command.options.find((known) => known.short === `-${word[at]}`);
    if (option === undefined) break;
    if (!option.required && at + 1 < word.length) continue;
    const value = at + 1 < word.length ? word.slice(at + 1) : undefined;
    return { option, value, name: word.slice(0, at + 1) };
  }
  return { option: undefined, value: undefined, name: '' };
}
