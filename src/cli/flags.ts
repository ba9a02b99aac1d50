import { type Command, Option } from 'commander';

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

/** `-o` of commands that print text or JSON, and `--json`, which other commands have. */
export function addTextOrJson(command: Command): Command {
  return command
    .option('-o, --output <FORMAT>', 'text or json', 'text')
    .option('--json', 'the same as -o json')
    .on('option:json', () => command.setOptionValue('output', 'json'));
}

/** `--json` of commands that print text or JSON, and `-o json`, which other commands have. */
export function addJson(command: Command, description: string): Command {
  return command
    .option('--json', description)
    .addOption(new Option('-o, --output <FORMAT>', 'text (default), or the same as --json').choices(['text', 'json']))
    .on('option:output', (format: string) => command.setOptionValue('json', format === 'json'));
}
