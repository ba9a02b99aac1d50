import type { Command } from 'commander';
import { isTerminal } from '../terminal.ts';
import { readSettings, type SetValue } from './read.ts';

/** Commands that take no defaults: they are for seeing what is wrong with these, or are called by programs. */
const WITHOUT = new Set(['help', 'config', 'completion', '__complete', 'run']);

/** What is shown to a person; a pipe, a file and Wireshark get packets, whatever is looked at otherwise. */
const ON_TERMINAL = new Set(['capture.output', 'capture.where']);

/** A flag of the line that makes another's default meaningless. */
const REFUSES: Readonly<Record<string, readonly string[]>> = {
  local: ['context', 'kubeconfig', 'transport'],
  allNamespaces: ['namespace'],
  quiet: ['verbose'],
  verbose: ['quiet'],
  write: ['output', 'where'],
  wireshark: ['output', 'where'],
};

/**
 * Gives a command the user's defaults for options that its command line does not have.
 * @returns those that were used
 * @throws KsnoopError BAD_CONFIG
 */
export async function applySettings(command: Command): Promise<SetValue[]> {
  if (WITHOUT.has(command.name())) return [];
  const given = (attribute: string) => command.getOptionValueSource(attribute) === 'cli';
  const refused = new Set(Object.keys(REFUSES).flatMap((flag) => (given(flag) ? (REFUSES[flag] ?? []) : [])));
  return (await readSettings()).filter(({ setting, value, source }) => {
    if (setting.command !== undefined && setting.command !== command.name()) return false;
    if (ON_TERMINAL.has(setting.name) && !isTerminal('stdout')) return false;
    const option = command.options.find(({ long }) => long === `--${setting.flag}`);
    if (option === undefined || given(option.attributeName()) || refused.has(option.attributeName())) return false;
    command.setOptionValueWithSource(option.attributeName(), value, source.startsWith('KSNOOP_') ? 'env' : 'config');
    return true;
  });
}
