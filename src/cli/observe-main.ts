import { CommanderError } from 'commander';
import { EXIT } from '../wire/errors.ts';
import { logger, reportError } from './logger.ts';
import { addObserveCommand } from './observe/commands.ts';
import { rootCommand } from './root-command.ts';

/** `ksnoop observe` alone, as the agents' image has it: its words are those behind `observe`. */
async function main(): Promise<number> {
  let exit: number = EXIT.done;
  const ksnoop = rootCommand({});
  addObserveCommand(ksnoop, (code) => {
    exit = code;
  });
  const [node = '', program = '', ...words] = process.argv;
  try {
    await ksnoop.parseAsync([node, program, ...(words[0] === '--version' ? [] : ['observe']), ...words]);
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.done : EXIT.usage;
    return reportError(thrown, logger({ quiet: false, verbose: false }).warn);
  }
  return exit;
}

process.exitCode = await main();
process.exit();
