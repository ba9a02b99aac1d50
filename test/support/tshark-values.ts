import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The values that Wireshark's dissectors name, as an independent source for our tables of numbers. The file is made from tshark 4.0:
 *   tshark -G values | grep -P '^V\t(eth\.type|ip\.proto|…)\t' | cut -f2- | sort -u
 */
const file = join(import.meta.dirname, 'tshark-values.tsv');
const rows = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split('\t'));

/** The names of a field's values. @param field as in a display filter: `eth.type` */
export function tsharkValues(...fields: string[]): ReadonlyMap<number, string> {
  return new Map(
    rows.flatMap(([field = '', value = '', name = '']) => (fields.includes(field) ? [[Number(value), name]] : [])),
  );
}

/** A name without what programs write differently: case, spaces, `-` and `_`. */
export function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9+]/g, '');
}

/**
 * Where our names of numbers differ from Wireshark's.
 * @param name our name of a number; undefined where we have none
 * @param theirs as `tsharkValues` has it
 * @param known our names that differ, or that this tshark is too old for, by number
 * @param count how many numbers we have names of: a name that is lost, or covered by another one, is no difference
 * @returns a line for each difference that is not in `known`, and for each of `known` that is none
 */
export function differences(
  name: (value: number) => string | undefined,
  theirs: ReadonlyMap<number, string>,
  known: Readonly<Record<number, string>>,
  count: number,
): string[] {
  const found: string[] = [];
  let names = 0;
  for (let value = 0; value < 65_536; value += 1) {
    const our = name(value);
    if (our === undefined) {
      if (known[value] !== undefined) found.push(`${value} has no name`);
      continue;
    }
    names += 1;
    const agrees = plain(theirs.get(value) ?? '').includes(plain(our));
    if (known[value] !== undefined) {
      if (agrees) found.push(`${value} does not differ`);
      else if (known[value] !== our) found.push(`${value}: ${our}, and not ${known[value]}`);
    } else if (!agrees) found.push(`${value}: ${our}, and ${theirs.get(value)} in Wireshark`);
  }
  if (names !== count) found.push(`${names} numbers have a name, and not ${count}`);
  return found;
}
