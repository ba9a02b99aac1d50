import { basename } from 'node:path';
import { Command } from 'commander';
import { isOneExecutable } from '../capture/own-program.ts';
import { VERSION } from '../wire/version.ts';
import { addCaptureCommand } from './capture/commands.ts';
import { addCapturesCommands } from './captures/commands.ts';
import { addCompletionCommands } from './completion/commands.ts';
import { addDiagnoseCommand } from './diagnose/commands.ts';
import { addDiffCommand } from './diff/commands.ts';
import { addExtcapCommands } from './extcap/commands.ts';
import { withHint } from './foreign-flags.ts';
import { addHelpCommand } from './help/commands.ts';
import { addImageCommands } from './image/commands.ts';
import { addInstallCommands } from './install/commands.ts';
import { addMergeCommand } from './merge/commands.ts';
import { addObserveCommand } from './observe/commands.ts';
import { addReadCommand } from './read/commands.ts';
import { applySettings } from './settings/apply.ts';
import type { SetValue } from './settings/read.ts';
import { addTopCommand } from './top/commands.ts';
import { addTraceCommand } from './trace/commands.ts';
import { addUpkeepCommands } from './upkeep-commands.ts';
import { addVersionCommands } from './version/commands.ts';
import { addProfileCommands } from './wireshark-profile/commands.ts';

/** The commands and their flags. Each action loads its code when it runs: --version and --help stay instant. */
export function program(
  setExit: (code: number) => void,
  onSettings: (used: readonly SetValue[]) => void = () => {},
): Command {
  // Under kubectl the user typed `kubectl ksnoop`, and help should say so.
  const name = basename(isOneExecutable() ? process.argv0 : (process.argv[1] ?? '')).startsWith('kubectl-')
    ? 'kubectl ksnoop'
    : 'ksnoop';
  const ksnoop = new Command(name)
    .description('Point at any Kubernetes object and see its packets: in Wireshark, in a file, or line by line.')
    .version(VERSION, '-V, --version')
    .enablePositionalOptions()
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(withHint(text)) })
    .hook('preAction', async (_, command) => onSettings(await applySettings(command)));
  addCaptureCommand(ksnoop, setExit);
  addReadCommand(ksnoop, setExit);
  addTopCommand(ksnoop, setExit);
  addTraceCommand(ksnoop, setExit);
  addDiagnoseCommand(ksnoop, setExit);
  addDiffCommand(ksnoop, setExit);
  addMergeCommand(ksnoop, setExit);
  addObserveCommand(ksnoop, setExit);
  addCapturesCommands(ksnoop, setExit);
  addInstallCommands(ksnoop, setExit);
  addImageCommands(ksnoop, setExit);
  addUpkeepCommands(ksnoop, setExit);
  addVersionCommands(ksnoop, setExit);
  addExtcapCommands(ksnoop, setExit);
  addProfileCommands(ksnoop, setExit);
  addCompletionCommands(ksnoop, setExit);
  addHelpCommand(ksnoop);
  return ksnoop;
}
