import type { PluginTerminal } from '../capture/kube/exec-plugin.ts';

/** This process's terminal, for credential plugins that ask their user to log in. */
export function pluginTerminal(): PluginTerminal {
  return {
    interactive: process.stdin.isTTY === true,
    show: (text) => {
      if (process.stderr.isTTY === true) process.stderr.write(text);
    },
  };
}
