import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { arrayAt, isObject, parseJson } from '../../wire/guard.ts';

/** So long names are taken as they are: one Tab after another asks the cluster once. */
const FRESH_MS = 5_000;

/** So long they are better than nothing, when the cluster does not answer in time. */
const USABLE_MS = 600_000;

/** Names of one answer that are kept. */
const NAMES_MAXIMUM = 5_000;

/** Answers that are kept; beyond it the old ones go. */
const ANSWERS_MAXIMUM = 100;

/** Names the shell was given lately, each answer in a separate file that only its user can read. */
export class NameCache {
  readonly #directory = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ksnoop', 'names');

  get(key: readonly string[]): { names: readonly string[]; fresh: boolean } | undefined {
    const file = this.#file(key);
    try {
      const age = Date.now() - statSync(file).mtimeMs;
      if (age > USABLE_MS) return undefined;
      const known = parseJson(readFileSync(file, 'utf8'), 'name cache');
      if (!isObject(known)) return undefined;
      const names = arrayAt(known, 'names').filter((name): name is string => typeof name === 'string');
      return { names, fresh: age < FRESH_MS };
    } catch {
      return undefined;
    }
  }

  /** A home that cannot be written to only costs time. */
  set(key: readonly string[], names: readonly string[]): void {
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      writeFileSync(this.#file(key), JSON.stringify({ names: names.slice(0, NAMES_MAXIMUM) }), { mode: 0o600 });
      this.#tidy();
    } catch {}
  }

  #tidy(): void {
    const files = readdirSync(this.#directory).map((name) => join(this.#directory, name));
    if (files.length <= ANSWERS_MAXIMUM) return;
    for (const file of files) if (Date.now() - statSync(file).mtimeMs > USABLE_MS) rmSync(file, { force: true });
  }

  #file(key: readonly string[]): string {
    return join(this.#directory, `${createHash('sha256').update(key.join('\0')).digest('hex').slice(0, 32)}.json`);
  }
}
