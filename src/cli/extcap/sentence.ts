import { sanitise } from '../../view/sanitise.ts';

/**
 * One sentence of extcap's grammar (Wireshark Developer's Guide, "Extcap Arguments"): `value {arg=1}{value=shop}`.
 * @param members written in their order; undefined ones are left out
 */
export function sentence(
  word: 'extcap' | 'interface' | 'dlt' | 'arg' | 'value' | 'control',
  members: Readonly<Record<string, string | number | boolean | undefined>>,
): string {
  const parts = Object.entries(members)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `{${name}=${plain(String(value))}}`);
  return `${word} ${parts.join('')}`;
}

/** A value ends at the next brace, and a sentence with its line. */
function plain(text: string): string {
  // Wireshark shows it, and so does a terminal: a name from the cluster must control neither.
  return sanitise(text.replaceAll('{', '(').replaceAll('}', ')').replace(/\s+/g, ' '));
}

/** Whether a value reaches Wireshark as it is, and so comes back as it was. */
export function isSayable(value: string): boolean {
  return plain(value) === value;
}
