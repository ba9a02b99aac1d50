import type { Command } from 'commander';
import { addCaptureCommand } from './capture/commands.ts';
import { addCapturesCommands } from './captures/commands.ts';
import { addCompletionCommands } from './completion/commands.ts';
import { addDiagnoseCommand } from './diagnose/commands.ts';
import { addDiffCommand } from './diff/commands.ts';
import { addExtcapCommands } from './extcap/commands.ts';
import { addHelpCommand } from './help/commands.ts';
import { addImageCommands } from './image/commands.ts';
import { addInstallCommands } from './install/commands.ts';
import { addKeyLogCommands } from './keylog/commands.ts';
import { addMergeCommand } from './merge/commands.ts';
import { addObserveCommand } from './observe/commands.ts';
import { addReadCommand } from './read/commands.ts';
import { type ProgramHandlers, rootCommand } from './root-command.ts';
import { addTopCommand } from './top/commands.ts';
import { addTraceCommand } from './trace/commands.ts';
import { addUpkeepCommands } from './upkeep-commands.ts';
import { addVersionCommands } from './version/commands.ts';
import { addProfileCommands } from './wireshark-profile/commands.ts';

/** All commands and their flags. Each action loads its code when it runs: --version and --help stay instant. */
export function program({ setExit, onSettings }: ProgramHandlers = { setExit: () => {} }): Command {
  const ksnoop = rootCommand({ onSettings });
  addCaptureCommand(ksnoop, setExit, async () => ksnoop);
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
  addKeyLogCommands(ksnoop, setExit);
  addUpkeepCommands(ksnoop, setExit);
  addVersionCommands(ksnoop, setExit);
  addExtcapCommands(ksnoop, setExit);
  addProfileCommands(ksnoop, setExit);
  addCompletionCommands(ksnoop, setExit);
  addHelpCommand(ksnoop);
  return ksnoop;
}
