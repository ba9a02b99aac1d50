/** A spreadsheet takes a cell that begins so as a formula, and runs it. */
const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/;

/**
 * A row of a CSV file (RFC 4180), without its line break. A text that a spreadsheet would run as a formula gets an
 * apostrophe before it.
 * @param cells undefined: an empty cell. Texts are sanitised by the caller.
 */
export function csvRow(cells: readonly (string | number | boolean | undefined)[]): string {
  return cells.map((cell) => (cell === undefined ? '' : quoted(String(cell)))).join(',');
}

function quoted(text: string): string {
  const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
