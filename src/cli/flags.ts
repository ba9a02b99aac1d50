import type { Command } from 'commander';

/** How much is printed on stderr. */
export function addVerbosityFlags(command: Command): Command {
  return command
    .option('-q, --quiet', 'print only warnings, errors and the closing summary')
    .option('-v, --verbose', 'print more');
}

/** Which cluster. */
export function addClusterFlags(command: Command): Command {
  return command
    .option('--context <NAME>', 'context of the kubeconfig')
    .option('--kubeconfig <FILE>', 'kubeconfig to use');
}

/** `-o` of commands that print text or JSON. */
export const TEXT_OR_JSON = ['-o, --output <FORMAT>', 'text or json', 'text'] as const;
