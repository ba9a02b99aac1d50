import type { PluginTerminal } from '../capture/kube/exec-plugin.ts';
import type { Kube } from '../capture/kube/kube.ts';
import { isTerminal } from './terminal.ts';

/** The cluster that a command's flags name. @throws KsnoopError as loadKube has it */
export async function openCluster(flags: { kubeconfig?: string; context?: string }): Promise<Kube> {
  // Loaded only here: what needs no cluster does without the Kubernetes client.
  const { loadKube } = await import('../capture/kube/config.ts');
  const { kubeconfig, context } = flags;
  return loadKube({ kubeconfig, context, pluginTerminal: pluginTerminal() });
}

/** This process's terminal, for credential plugins that ask their user to log in. */
export function pluginTerminal(): PluginTerminal {
  return {
    interactive: isTerminal('stdin'),
    show: (text) => {
      if (isTerminal('stderr')) process.stderr.write(text);
    },
  };
}
