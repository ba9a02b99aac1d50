import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { isObject, objectsAt, optionalString, parseJson } from '../../wire/guard.ts';
import type { FieldName } from './arguments.ts';
import type { Choice } from './dialog.ts';

/** Choices of one field that are kept; a namespace with more is looked through by typing. */
const CHOICES_MAXIMUM = 500;

/**
 * The lists as they were last filled. Wireshark asks for the dialog when it starts, tells nothing of what the user has
 * saved, and loses a saved choice that is not in its list: so lists outlive their program, without asking any cluster.
 */
export function rememberedChoices(): Map<FieldName, readonly Choice[]> {
  try {
    const known = parseJson(readFileSync(file(), 'utf8'), 'remembered choices');
    if (!isObject(known)) return new Map();
    return new Map(
      (['target', 'namespace', 'container'] as const).map((name) => [
        name,
        objectsAt(known, name).flatMap((choice) => {
          const value = optionalString(choice, 'value');
          return value === undefined ? [] : [{ value, display: optionalString(choice, 'display') ?? value }];
        }),
      ]),
    );
  } catch {
    return new Map();
  }
}

/** Keep what a field was just filled with. A home directory that cannot be written does not change what is shown. */
export function remember(name: FieldName, choices: readonly Choice[]): void {
  const all = Object.fromEntries([...rememberedChoices(), [name, choices.slice(0, CHOICES_MAXIMUM)]]);
  try {
    mkdirSync(dirname(file()), { recursive: true, mode: 0o700 });
    writeFileSync(file(), JSON.stringify(all), { mode: 0o600 });
  } catch {}
}

function file(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ksnoop', 'extcap.json');
}
