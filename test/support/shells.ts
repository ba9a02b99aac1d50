import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { KSNOOP_IN_SHELL } from './ksnoop-process.ts';
import { Terminal } from './terminal.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** How each is started without its user's settings, and how it takes a completion script. */
const STARTS: Readonly<Record<Shell, { command: readonly string[]; source: string }>> = {
  bash: { command: ['bash', '--noprofile', '--norc'], source: 'source <(ksnoop completion bash)' },
  zsh: { command: ['zsh', '-f'], source: 'source <(ksnoop completion zsh)' },
  fish: { command: ['fish', '--no-config'], source: 'ksnoop completion fish | source' },
};

/** What every shell's prompt is. */
const PROMPT = 'ready> ';

/**
 * A real shell in a real terminal, with this build's ksnoop on its PATH and its completion loaded.
 * @param directory of the test's own: the shell's home
 */
export async function completingShell(shell: Shell, directory: string, kubeconfig: string): Promise<Terminal> {
  const bin = join(directory, 'bin');
  mkdirSync(bin, { recursive: true });
  const file = join(bin, 'ksnoop');
  writeFileSync(file, `#!/bin/sh\nexec ${KSNOOP_IN_SHELL} "$@"\n`);
  chmodSync(file, 0o755);
  const terminal = new Terminal(STARTS[shell].command, {
    PATH: [bin, process.env.PATH ?? ''].join(delimiter),
    HOME: directory,
    XDG_CACHE_HOME: join(directory, 'cache'),
    XDG_CONFIG_HOME: join(directory, 'config'),
    XDG_DATA_HOME: join(directory, 'data'),
    KUBECONFIG: kubeconfig,
    ENV: '',
  });
  // What is typed before the shell reads the terminal may be thrown away.
  await terminal.shows(/\S/);
  const prompt = shell === 'fish' ? `function fish_prompt; echo -n '${PROMPT}'; end` : `PS1='${PROMPT}'`;
  terminal.type(`${prompt}\n`);
  await terminal.shows(/^ready>$/m);
  terminal.type(`${STARTS[shell].source}; clear; echo load''ed\n`);
  await terminal.shows(/^loaded$/m);
  return terminal;
}

/**
 * Ctrl-C, until there is an empty prompt: a shell that still runs a completion takes the first for that and keeps its
 * line, and what is typed next would stand behind it.
 */
export async function abandonsLine(terminal: Terminal): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    terminal.press('C-c');
    try {
      await terminal.shows(/^ready>\s*$(?![\s\S]*\S)/m, 5_000);
      return;
    } catch (thrown) {
      if (attempt === 20) throw thrown;
    }
  }
}

/**
 * Type a line and press Tab until the screen shows what is expected: a machine under load may miss the first. Not before
 * the shell has ended that completion, for a second Tab goes on from what the first one shows.
 */
export async function completes(terminal: Terminal, line: string, expected: RegExp): Promise<string> {
  terminal.type(line);
  for (let attempt = 0; ; attempt++) {
    terminal.press('Tab');
    try {
      return await shownOrEnded(terminal, expected);
    } catch (thrown) {
      if (attempt === 19) throw thrown;
    }
  }
}

/** The screen once it matches; rejects when the shell has done nothing more for a while. */
async function shownOrEnded(terminal: Terminal, expected: RegExp): Promise<string> {
  for (let quiet = 0; ; ) {
    try {
      return await terminal.shows(expected, 1_000);
    } catch (thrown) {
      quiet = terminal.isIdle() ? quiet + 1 : 0;
      if (quiet === 4) throw thrown;
    }
  }
}
