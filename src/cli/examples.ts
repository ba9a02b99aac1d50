import type { Command } from 'commander';

/** A command line after `ksnoop`, and what it does. */
export type Example = readonly [line: string, meaning: string];

const examples = new WeakMap<Command, readonly Example[]>();

/** Show examples below a command's help, and on its manual page. */
export function addExamples(command: Command, shown: readonly Example[]): Command {
  examples.set(command, shown);
  return command.addHelpText('after', () => `\nExamples:\n${exampleLines(shown, command)}`);
}

/** The examples of a command; none for most. */
export function examplesOf(command: Command): readonly Example[] {
  return examples.get(command) ?? [];
}

function exampleLines(shown: readonly Example[], command: Command): string {
  const program = command.parent?.name() ?? command.name();
  const width = Math.max(...shown.map(([line]) => line.length)) + program.length + 1;
  return shown.map(([line, meaning]) => `  ${`${program} ${line}`.padEnd(width)}  ${meaning}`).join('\n');
}
