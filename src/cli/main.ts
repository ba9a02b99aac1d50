import { type Command, CommanderError } from 'commander';
import { EXIT } from '../wire/errors.ts';
import { addCaptureCommand, withRead } from './capture/commands.ts';
import { captureFiles } from './capture-files.ts';
import { isCaptureLine } from './capture-line.ts';
import { logger, reportError } from './logger.ts';
import { type ProgramHandlers, rootCommand } from './root-command.ts';
import type { SetValue } from './settings/read.ts';

/** `ksnoop FILE …`: flags of `read` are then known from the start. */
function readsFile([, , first = '']: readonly string[]): boolean {
  return (first === '-' || !first.startsWith('-')) && captureFiles([first]);
}

/** All commands; their flags are loaded only here. */
async function allCommands(handlers: ProgramHandlers): Promise<Command> {
  const { program } = await import('./program.ts');
  return program(handlers);
}

/** `ksnoop` with the capture command alone. */
function captureAlone(handlers: ProgramHandlers): Command {
  const ksnoop = rootCommand(handlers);
  // commander's own would list this command alone.
  ksnoop.helpCommand(false);
  addCaptureCommand(ksnoop, handlers.setExit, () => allCommands(handlers));
  return ksnoop;
}

/** `ksnoop read` alone. */
async function readAlone(handlers: ProgramHandlers): Promise<Command> {
  const { addReadCommand } = await import('./read/commands.ts');
  const ksnoop = rootCommand(handlers);
  addReadCommand(ksnoop, handlers.setExit);
  return ksnoop;
}

/** The program for a command line: with the commands alone that it can be about. */
function programFor(words: readonly string[], handlers: ProgramHandlers): Command | Promise<Command> {
  if (isCaptureLine(words)) return captureAlone(handlers);
  return words[0] === 'read' ? readAlone(handlers) : allCommands(handlers);
}

async function main(): Promise<number> {
  let exit: number = EXIT.done;
  let used: readonly SetValue[] = [];
  const handlers: ProgramHandlers = {
    setExit: (code) => {
      exit = code;
    },
    onSettings: (settings) => {
      used = settings;
    },
  };
  const line = readsFile(process.argv) ? withRead(process.argv) : process.argv;
  const ksnoop = await programFor(line.slice(2), handlers);
  try {
    await ksnoop.parseAsync(line);
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

// What ends before it has settled has not succeeded.
process.exitCode = EXIT.failed;
// No await: the built program is CommonJS, which has none at its top.
void main().then((code) => {
  process.exitCode = code;
  // Whatever is still open (an idle connection, a pipe without a reader) must not keep the process alive.
  process.exit();
});
