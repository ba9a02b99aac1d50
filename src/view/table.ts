import type { Colours } from './colour.ts';
import { cut } from './text-width.ts';

export interface Column {
  readonly title: string;
  /** Numbers stand right. */
  readonly right?: boolean;
  /** Gives way when the table is wider than the terminal. */
  readonly shrinks?: boolean;
}

/** A text, or one that is painted when its final width is known. Sanitised by who makes it. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

const GAP = '  ';
/** A column that gives way keeps so many characters. */
const NARROWEST = 12;

/**
 * Rows under their titles, as wide as their widest cell; columns in which nothing stands are left out.
 * @param width characters of a line, undefined for any number
 */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number | undefined,
  colours: Colours,
): string[] {
  const texts = rows.map((row) => row.map((cell) => (typeof cell === 'string' ? cell : cell.text)));
  const used = columns.flatMap((_, index) => (texts.some((row) => row[index] !== '') ? [index] : []));
  const widths = columns.map(({ title }, index) =>
    texts.reduce((widest, row) => Math.max(widest, row[index]?.length ?? 0), title.length),
  );
  if (width !== undefined) shrink(columns, used, widths, width);
  const line = (cells: readonly Cell[]) =>
    used
      .map((index) => place(cells[index] ?? '', widths[index] ?? 0, columns[index]?.right === true))
      .join(GAP)
      .trimEnd();
  const head = line(columns.map(({ title }) => ({ text: title, paint: (text) => colours.aside(text) })));
  return [head, ...rows.map(line)];
}

/** Take from the widest of the columns that give way until the table fits, or none has anything to give. */
function shrink(columns: readonly Column[], used: readonly number[], widths: number[], width: number): void {
  let excess = used.reduce((sum, index) => sum + (widths[index] ?? 0), GAP.length * (used.length - 1)) - width;
  const giving = used.filter((index) => columns[index]?.shrinks === true);
  while (excess > 0) {
    const widest = giving.reduce((a, b) => ((widths[b] ?? 0) > (widths[a] ?? 0) ? b : a), giving[0] ?? -1);
    const given = Math.min(excess, Math.max(0, (widths[widest] ?? 0) - NARROWEST), 1);
    if (given <= 0) return;
    widths[widest] = (widths[widest] ?? 0) - given;
    excess -= given;
  }
}

function place(cell: Cell, width: number, right: boolean): string {
  const full = typeof cell === 'string' ? cell : cell.text;
  const text = cut(full, Math.max(1, width));
  const painted = typeof cell === 'string' ? text : cell.paint(text);
  const filling = ' '.repeat(Math.max(0, width - text.length));
  return right ? filling + painted : painted + filling;
}
