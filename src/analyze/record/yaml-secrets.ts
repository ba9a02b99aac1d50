import { MASK } from './mask.ts';
import { isSecretEntry } from './secret-names.ts';

/** A line with a member: blanks and dashes of lists, name, value. No two parts of it take the same blanks: else its time is not linear. */
const MEMBER = /^( {0,256}(?:- {1,264}){0,8})(["']?)([\w.-]{1,253})\2:(?:[ \t]+((?![ \t]).+)?)?\r?$/;
const BLOCK = /^[|>][-+\d]{0,3}\s*(?:#.*)?$/;
const STATES_ONE = /^(?:yes|no|true|false|null|none)?$/i;

/** A list's entry, by the column of its members. */
interface Entry {
  readonly column: number;
  isSecret: boolean;
  /** Line of its value; -1 without one. */
  value: number;
}

/**
 * Mask what YAML holds on several lines: values that another member of their entry gives a secret's name (`- name: TOKEN`,
 * `value: x`), blocks under a secret's name, and data and stringData of Secrets. Linear in the text.
 * @param isSecret the text holds a Secret of Kubernetes
 */
export function maskYaml(text: string, isSecret: boolean): string {
  const lines = text.split('\n');
  const entries: Entry[] = [];
  /** Column and kind of what holds the lines that are deeper. */
  let block: { readonly column: number; readonly isData: boolean } | undefined;
  for (const [index, line] of lines.entries()) {
    const indent = indentOf(line);
    if (block !== undefined && (indent > block.column || line.trim() === '')) {
      const found = block.isData ? MEMBER.exec(line) : null;
      if (found !== null) {
        lines[index] = `${line.slice(0, line.indexOf(':'))}: ${MASK}`;
        continue;
      }
      if (line.trim() !== '') lines[index] = `${' '.repeat(indent)}${MASK}`;
      continue;
    }
    block = undefined;
    const found = MEMBER.exec(line);
    if (found === null) continue;
    const [, begin = '', , name = '', value = ''] = found;
    const column = begin.length;
    while (entries.length > 0 && (entries.at(-1) as Entry).column > column) settle(lines, entries.pop());
    const isNew = begin.includes('-');
    if (isNew && entries.at(-1)?.column === column) settle(lines, entries.pop());
    const plain = value.trim();
    if ((name === 'stringData' || (isSecret && name === 'data')) && plain === '') {
      block = { column, isData: true };
      continue;
    }
    if (BLOCK.test(plain) && isSecretEntry(name)) block = { column, isData: false };
    let entry = entries.at(-1);
    if (entry?.column !== column) {
      if (name !== 'name' && name !== 'key' && name !== 'value') continue;
      entry = { column, isSecret: false, value: -1 };
      entries.push(entry);
    }
    if (name === 'value' && plain !== '') entry.value = index;
    else if (name === 'name' || name === 'key') entry.isSecret = isSecretEntry(plain.replace(/^["']|["']$/g, ''));
  }
  while (entries.length > 0) settle(lines, entries.pop());
  return lines.join('\n');
}

function indentOf(line: string): number {
  let at = 0;
  while (line.charCodeAt(at) === 0x20) at += 1;
  return at;
}

/** An entry has ended: its value is masked where its name is a secret's. */
function settle(lines: string[], entry: Entry | undefined): void {
  if (entry === undefined || !entry.isSecret || entry.value < 0) return;
  const line = lines[entry.value] as string;
  const colon = line.indexOf(':');
  const plain = line.slice(colon + 1).trim();
  if (STATES_ONE.test(plain)) return;
  lines[entry.value] = `${line.slice(0, colon)}: ${MASK}`;
  if (!BLOCK.test(plain)) return;
  for (let at = entry.value + 1; at < lines.length; at += 1) {
    const indent = indentOf(lines[at] as string);
    if ((lines[at] as string).trim() === '') continue;
    if (indent <= entry.column) return;
    lines[at] = ' '.repeat(indent) + MASK;
  }
}
