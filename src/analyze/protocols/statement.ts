import { TEXT_MAXIMUM } from '../limits.ts';
import { utf8 } from '../record/text.ts';
import { TextTable } from '../record/text-table.ts';
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

/** Statements of which what is said of them is remembered, and characters of the longest of those. */
const KNOWN_MAXIMUM = 4096;
const KNOWN_LENGTH = 1024;
/** Bytes of the longest statement that is found again by its bytes. */
const TEXT_BYTES = 512;

const texts = new TextTable(utf8, TEXT_BYTES);

/** A statement as it was sent (UTF-8). Clients send the same few over and over: mostly one string object for the same bytes. */
export function sentStatement(bytes: Uint8Array, start: number, end: number): string {
  return texts.text(bytes, start, end);
}

/** How a statement is shown and counted. */
interface StatementNames {
  /** As statementText has it, masked. */
  readonly text: string;
  readonly route: string;
}

const known = new Map<string, StatementNames>();

/**
 * A statement for people, as statementText has it, and what it is counted under: its verb and its first table, `SELECT stock`;
 * no values.
 */
export function statementNames(sql: string, secrets: boolean): StatementNames {
  const before = known.get(sql);
  if (before !== undefined) return secrets ? { text: statementText(sql, true), route: before.route } : before;
  const names = { text: statementText(sql, false), route: statementRoute(sql) };
  if (sql.length <= KNOWN_LENGTH) {
    if (known.size >= KNOWN_MAXIMUM) known.clear();
    known.set(sql, names);
  }
  return secrets ? { text: statementText(sql, true), route: names.route } : names;
}

function statementRoute(sql: string): string {
  const text = sql.replace(/^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))+/, '');
  const verb = /^[a-z]+/i.exec(text)?.[0].toUpperCase() ?? 'SQL';
  if (verb === 'BEGIN' || verb === 'COMMIT' || verb === 'ROLLBACK' || verb === 'SET' || verb === 'SHOW') return verb;
  const table = TABLE.exec(text)?.[1]?.replace(/[`"']/g, '');
  return table === undefined ? verb : `${verb} ${table}`;
}
