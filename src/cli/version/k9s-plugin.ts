import { dump } from 'js-yaml';

/** One key of k9s. */
interface Plugin {
  readonly shortCut: string;
  readonly description: string;
  readonly scopes: readonly string[];
  readonly command: 'sh';
  readonly background: false;
  readonly args: readonly string[];
}

/** k9s' names of views, and what ksnoop calls a target of them. */
const TARGETS = [
  ['pods', 'pod'],
  ['services', 'svc'],
  ['deployments', 'deploy'],
  ['statefulsets', 'sts'],
  ['daemonsets', 'ds'],
  ['ingresses', 'ingress'],
] as const;

const KEYS = [
  ['Shift-K', 'requests', '-o text'],
  ['Shift-U', 'summary of 30 s', '-o summary --duration 30s'],
] as const;

/**
 * Plugins for k9s (its plugins.yaml): in the views of what can be captured a key shows the requests of the selected object,
 * another one a summary. k9s puts the object's context, namespace and name in place of the variables; they are arguments of
 * the shell's script and never part of it.
 */
export function k9sPlugin(): string {
  const plugins: Record<string, Plugin> = {};
  for (const [shortCut, what, flags] of KEYS) {
    for (const [scope, kind] of TARGETS) {
      const script = `ksnoop --context "$1" -n "$2" "${kind}/$3" ${flags} 2>&1 | less -R +F`;
      plugins[`ksnoop-${what.split(' ')[0]}-${scope}`] = {
        shortCut,
        description: `ksnoop: ${what}`,
        scopes: [scope],
        command: 'sh',
        background: false,
        args: ['-c', script, 'ksnoop', '$CONTEXT', '$NAMESPACE', '$NAME'],
      };
    }
  }
  return dump({ plugins }, { lineWidth: -1 });
}
