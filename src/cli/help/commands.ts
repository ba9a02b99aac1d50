import type { Command } from 'commander';
import { nearest } from '../../wire/near.ts';
import { usage } from '../usage.ts';

/** `ksnoop help [COMMAND… | TOPIC]`, in place of commander's own, which has no topics. */
export function addHelpCommand(ksnoop: Command): void {
  ksnoop.helpCommand(false);
  ksnoop
    .command('help')
    .description('help for a command, or on: targets, filters, fields, outputs, screen, security')
    .argument('[command|topic...]')
    .action(async (words: string[]) => {
      const { TOPICS } = await import('./index.ts');
      const topic = TOPICS.find(({ name }) => name === words[0]);
      if (topic !== undefined && words.length === 1) {
        const { helpLines } = await import('../../view/help-text.ts');
        const { Colours, wantsColour } = await import('../../view/colour.ts');
        const colours = new Colours(wantsColour(process.stdout, process.env));
        process.stdout.write(`${helpLines(topic, process.stdout.columns ?? 80, colours).join('\n')}\n`);
        return;
      }
      commandNamed(
        ksnoop,
        words,
        TOPICS.map(({ name }) => name),
      ).outputHelp();
    });
}

function commandNamed(ksnoop: Command, words: readonly string[], topics: readonly string[]): Command {
  let command = ksnoop;
  for (const word of words) {
    const next = command.commands.find((child) => child.name() === word);
    if (next === undefined) {
      const known = command
        .createHelp()
        .visibleCommands(command)
        .map((child) => child.name());
      const near = nearest(word, [...known, ...topics]);
      const hint = near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `There is help on: ${topics.join(', ')}.`;
      throw usage(`There is no help on "${words.join(' ')}".`, hint);
    }
    command = next;
  }
  return command;
}
