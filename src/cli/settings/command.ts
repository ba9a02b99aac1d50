import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { Colours, wantsColour } from '../../view/colour.ts';
import { jsonLines } from '../../view/json-line.ts';
import { sanitise } from '../../view/sanitise.ts';
import { tableLines } from '../../view/table.ts';
import { EXIT, type ExitCode } from '../../wire/errors.ts';
import { textOrJson } from '../usage.ts';
import { readSettings, settingsFiles } from './read.ts';
import { SETTINGS, variableOf } from './settable.ts';

export interface RawConfigOptions {
  readonly output: string;
}

/** `ksnoop config`: every setting with its value and where it comes from. */
export async function configCommand(ksnoop: Command, raw: RawConfigOptions): Promise<ExitCode> {
  const form = textOrJson(raw.output, 'config');
  const set = new Map((await readSettings()).map((value) => [value.setting.name, value]));
  const rows = SETTINGS.map((setting) => {
    const { value, source } = set.get(setting.name) ?? { value: defaultOf(ksnoop, setting), source: '' };
    return { name: setting.name, value, source, variable: variableOf(setting) };
  });
  if (form === 'json') {
    process.stdout.write(`${jsonLines({ files: settingsFiles(), settings: rows })}\n`);
    return EXIT.done;
  }
  const colours = new Colours(wantsColour(process.stdout, process.env));
  const files = settingsFiles().map((file) => `${file}${existsSync(file) ? '' : ' (not there)'}`);
  const columns = [{ title: 'SETTING' }, { title: 'VALUE' }, { title: 'FROM' }, { title: 'VARIABLE' }];
  const cells = rows.map(({ name, value, source, variable }) => [
    name,
    value === undefined ? '' : sanitise(String(value)),
    source === '' ? (value === undefined ? '' : 'default') : source,
    variable,
  ]);
  const lines = [
    `Flags win over variables, variables over the file: ${files.join(' or ') || 'none'}`,
    '',
    ...tableLines(columns, cells, undefined, colours),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return EXIT.done;
}

function defaultOf(
  ksnoop: Command,
  { command, flag }: { command: string | undefined; flag: string },
): string | undefined {
  if (command === undefined) return undefined;
  const options = ksnoop.commands.find((child) => child.name() === command)?.options ?? [];
  const value: unknown = options.find(({ long }) => long === `--${flag}`)?.defaultValue;
  return value === undefined ? undefined : String(value);
}
