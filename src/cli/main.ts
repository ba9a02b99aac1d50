import { CommanderError } from 'commander';
import { EXIT } from '../wire/errors.ts';
import { program } from './program.ts';
import { tellError, voice } from './voice.ts';

async function main(): Promise<number> {
  let exit: number = EXIT.done;
  try {
    await program((code) => {
      exit = code;
    }).parseAsync(process.argv);
  } catch (thrown) {
    // commander has said already what is wrong with the flags.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.done : EXIT.usage;
    return tellError(thrown, voice({ quiet: false, verbose: false }).tell);
  }
  return exit;
}

process.exitCode = await main();
// Whatever is still open (a connection kept for a next call, a pipe nobody reads) must not hold the process.
process.exit();
