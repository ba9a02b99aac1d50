import { TEXT_MAXIMUM } from '../limits.ts';
import { CacheOfTexts } from '../record/text-cache.ts';
import { oneLine } from './one-line.ts';
import { maskQuoted, maskStatement } from './statement-secrets.ts';

/** A statement for people: one line, bounded, passwords masked unless `secrets`. */
export function statementText(sql: string, secrets: boolean): string {
  const bounded = sql.length > TEXT_MAXIMUM ? sql.slice(0, TEXT_MAXIMUM) : sql;
  // Masked while its lines still end: a comment's end is one.
  return oneLine(secrets ? bounded : maskStatement(bounded)).trim();
}

/** A server's error to a statement, for people: one line, what was masked in the statement masked, unless `secrets`. */
export function errorText(message: string, sql: string, secrets: boolean): string {
  return oneLine(secrets ? message : maskQuoted(message, sql));
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
