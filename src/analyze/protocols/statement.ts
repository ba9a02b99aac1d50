import { TEXT_MAXIMUM } from '../limits.ts';
import { MASK } from '../secrets.ts';
import { CacheOfTexts } from '../text-cache.ts';
import { oneLine } from './one-line.ts';

/** What follows a word that announces a password, as a literal. */
const SECRET =
  /((?:password(?!_)|identified\s+(?:via|with)\s+\S+\s+(?:using|as|by)|identified\s+by(?:\s+password)?|set\s+password(?:\s+for\s+\S+)?\s*=?|secret|passphrase)\s*(?:=>|=|\(|\s)?\s*)('(?:[^'\\]|''|\\.)*'?|"(?:[^"\\]|\\.)*"?)/gi;

/** A statement for people: one line, bounded, passwords masked unless `secrets`. */
export function statementText(sql: string, secrets: boolean): string {
  const line = oneLine(sql.length > TEXT_MAXIMUM ? sql.slice(0, TEXT_MAXIMUM) : sql).trim();
  return secrets ? line : line.replace(SECRET, `$1${MASK}`);
}

const TABLE =
  /\b(?:from|into|update|join|table(?:\s+if\s+(?:not\s+)?exists)?)\s+(?:only\s+)?[`"']?([\w$]+[`"']?(?:\.[`"']?[\w$]+)?)/i;

const routes = new CacheOfTexts();

/** What a statement is counted under: its verb and its first table, `SELECT stock`; no values. */
export function statementRoute(sql: string): string {
  return routes.of(sql, '', () => {
    const text = sql.replace(/^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))+/, '');
    const verb = /^[a-z]+/i.exec(text)?.[0].toUpperCase() ?? 'SQL';
    if (verb === 'BEGIN' || verb === 'COMMIT' || verb === 'ROLLBACK' || verb === 'SET' || verb === 'SHOW') return verb;
    const table = TABLE.exec(text)?.[1]?.replace(/[`"']/g, '');
    return table === undefined ? verb : `${verb} ${table}`;
  });
}
