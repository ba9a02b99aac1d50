import { basename } from 'node:path';
import { Command } from 'commander';
import { isOneExecutable } from '../capture/own-program.ts';
import { VERSION } from '../wire/version.ts';
import { withHint } from './foreign-flags.ts';
import { applySettings } from './settings/apply.ts';
import type { SetValue } from './settings/read.ts';

/** What the commands report to the process that runs them. */
export interface ProgramHandlers {
  readonly setExit: (code: number) => void;
  /** Takes the user's defaults that were used. */
  readonly onSettings?: ((used: readonly SetValue[]) => void) | undefined;
}

/** `ksnoop` itself, without any command. */
export function rootCommand({ onSettings = () => {} }: Pick<ProgramHandlers, 'onSettings'>): Command {
  // Under kubectl the user typed `kubectl ksnoop`, and help should say so.
  const name = basename(isOneExecutable() ? process.argv0 : (process.argv[1] ?? '')).startsWith('kubectl-')
    ? 'kubectl ksnoop'
    : 'ksnoop';
  return new Command(name)
    .description('Point at any Kubernetes object and see its packets: in Wireshark, in a file, or line by line.')
    .version(VERSION, '-V, --version')
    .enablePositionalOptions()
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(withHint(text)) })
    .hook('preAction', async (_, command) => onSettings(await applySettings(command)));
}
