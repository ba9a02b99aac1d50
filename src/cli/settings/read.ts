import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { EXIT, KsnoopError, messageOf } from '../../wire/errors.ts';
import { isObject } from '../../wire/guard.ts';
import { nearest } from '../../wire/near.ts';
import { SETTINGS, type Setting, variableOf } from './settable.ts';

export type SettingValue = string | boolean | readonly string[];

/** A default that somebody set, and where. */
export interface SetValue {
  readonly setting: Setting;
  readonly value: SettingValue;
  /** A file's path, or a variable's name. */
  readonly source: string;
}

/** Where the file may be, the first that is there counts: KSNOOP_CONFIG alone, or the XDG directory's. */
export function settingsFiles(environment: NodeJS.ProcessEnv = process.env): string[] {
  if (environment.KSNOOP_CONFIG !== undefined)
    return environment.KSNOOP_CONFIG === '' ? [] : [environment.KSNOOP_CONFIG];
  const directory = join(environment.XDG_CONFIG_HOME || join(homedir(), '.config'), 'ksnoop');
  return ['config.yaml', 'config.json'].map((name) => join(directory, name));
}

/**
 * The user's defaults: the environment over the file.
 * @throws KsnoopError BAD_CONFIG (exit 2) naming the file or variable and what is wrong with it
 */
export async function readSettings(environment: NodeJS.ProcessEnv = process.env): Promise<SetValue[]> {
  const found = new Map<string, SetValue>();
  const file = settingsFiles(environment).find((path) => existsSync(path));
  if (file !== undefined) for (const value of await fromFile(file)) found.set(value.setting.name, value);
  for (const setting of SETTINGS) {
    const source = variableOf(setting);
    const text = environment[source];
    if (text !== undefined && text !== '')
      found.set(setting.name, { setting, value: fromText(setting, text, source), source });
  }
  return [...found.values()];
}

async function fromFile(file: string): Promise<SetValue[]> {
  // Loaded only where there is a file: most people have none.
  const { load } = await import('js-yaml');
  let content: unknown;
  try {
    const text = readFileSync(file, 'utf8');
    const hasContent = text.split('\n').some((line) => line.trim() !== '' && !line.trimStart().startsWith('#'));
    content = hasContent ? (load(text) ?? {}) : {};
  } catch (cause) {
    throw bad(file, `it cannot be read: ${messageOf(cause).split('\n')[0]}`);
  }
  if (!isObject(content)) throw bad(file, 'expected a mapping of names to values');
  return Object.entries(content).flatMap(([key, value]) => {
    if (!isObject(value)) return [entry(key, value, file)];
    if (!SETTINGS.some(({ command }) => command === key)) throw unknown(file, key);
    return Object.entries(value).map(([name, inner]) => entry(`${key}.${name}`, inner, file));
  });
}

function entry(name: string, value: unknown, file: string): SetValue {
  const setting = SETTINGS.find((known) => known.name === name);
  if (setting === undefined) throw unknown(file, name);
  const { type } = setting;
  if (type === 'switch' && typeof value === 'boolean') return { setting, value, source: file };
  if (type === 'text' && (typeof value === 'string' || typeof value === 'number')) {
    // No shell has seen it.
    return { setting, value: String(value).replace(/^~(?=\/)/, homedir()), source: file };
  }
  if (type === 'list' && Array.isArray(value) && value.every((item) => typeof item === 'string')) {
    return { setting, value, source: file };
  }
  throw bad(file, `${name} must be ${WANTED[type]}, not ${JSON.stringify(value)}`);
}

const WANTED = { switch: 'true or false', text: 'a text', list: 'a list of texts' } as const;

function fromText(setting: Setting, text: string, variable: string): SettingValue {
  if (setting.type === 'text') return text;
  if (setting.type === 'list') return text.split(',');
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off)$/i.test(text)) return false;
  throw new KsnoopError('BAD_CONFIG', `The variable ${variable} must be true or false, not "${text}".`, {
    exit: EXIT.usage,
  });
}

function unknown(file: string, name: string): KsnoopError {
  const near = nearest(name, [...SETTINGS.map((setting) => setting.name), ...SETTINGS.map(({ flag }) => flag)]);
  const meant = near.map(
    (one) => SETTINGS.find((setting) => setting.name === one || setting.flag === one)?.name ?? one,
  );
  return bad(file, `"${name}" is not a setting`, meant.length === 0 ? undefined : `Did you mean ${meant[0]}?`);
}

function bad(file: string, why: string, hint?: string): KsnoopError {
  return new KsnoopError('BAD_CONFIG', `The configuration ${file} cannot be used: ${why}.`, {
    hint: hint ?? 'All settings: ksnoop config',
    exit: EXIT.usage,
  });
}
