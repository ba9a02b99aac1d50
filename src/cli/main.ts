import { CommanderError } from 'commander';
import { EXIT } from '../wire/errors.ts';
import { withRead } from './capture/commands.ts';
import { captureFiles } from './capture-files.ts';
import { logger, reportError } from './logger.ts';
import { program } from './program.ts';
import type { SetValue } from './settings/read.ts';

/** `ksnoop FILE …`: flags of `read` are then known from the start. */
function readsFile([, , first = '']: readonly string[]): boolean {
  return (first === '-' || !first.startsWith('-')) && captureFiles([first]);
}

async function main(): Promise<number> {
  let exit: number = EXIT.done;
  let used: readonly SetValue[] = [];
  const ksnoop = program(
    (code) => {
      exit = code;
    },
    (settings) => {
      used = settings;
    },
  );
  try {
    await ksnoop.parseAsync(readsFile(process.argv) ? withRead(process.argv) : process.argv);
  } catch (thrown) {
    // commander has already printed what is wrong with the flags.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.done : EXIT.usage;
    const { warn } = logger({ quiet: false, verbose: false });
    const code = reportError(thrown, warn);
    // What is wrong may be none of the words that were typed.
    if (code === EXIT.usage)
      for (const { setting, value, source } of used) warn(`${source} sets ${setting.name}: ${value}`);
    return code;
  }
  return exit;
}

process.exitCode = await main();
// Whatever is still open (an idle connection, a pipe without a reader) must not keep the process alive.
process.exit();
