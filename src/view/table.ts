import type { Colours } from './colour.ts';
import { cellWidth, cutMiddle, cutToCells } from './text-width.ts';

export interface Column {
  readonly title: string;
  /** Numbers stand right. */
  readonly right?: boolean;
  /**
   * Gives way when the table is wider than the terminal. `middle`: what identifies a row, such as a name: shortened in
   * its middle, and only so far that different texts stay different. `end`: a sentence, cut at its end.
   */
  readonly shrinks?: 'middle' | 'end';
  /** On a narrow terminal columns with a rank are left out, the highest first; without a rank a column always stays. */
  readonly rank?: number;
}

/** A text, or one that is painted when its final width is known. Sanitised by the caller. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

const GAP = '  ';
/** A column that gives way keeps so many cells. */
const NARROWEST = 12;
/** Columns are left out before one that gives way goes below so many cells. */
const COMFORTABLE = 26;

/** A column that is shown: its place among all, its cells, and how a text that is too long for it is shortened. */
interface Shown {
  readonly index: number;
  readonly column: Column;
  readonly texts: readonly string[];
  readonly full: number;
  width: number;
  /** Cells of a text's end that are kept when it is shortened in its middle. */
  tail: number;
}

/**
 * Rows under their titles, as wide as their widest cell; columns in which nothing stands are left out.
 * @param width cells of a line, undefined for any number
 */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number | undefined,
  colours: Colours,
): string[] {
  let shown = columns.flatMap((column, index): Shown[] => {
    const texts = rows.map((row) => textOf(row[index] ?? ''));
    if (texts.every((text) => text === '')) return [];
    const full = texts.reduce((widest, text) => Math.max(widest, cellWidth(text)), cellWidth(column.title));
    return [{ index, column, texts, full, width: full, tail: 0 }];
  });
  if (width !== undefined) {
    shown = leaveOut(shown, width);
    shrink(shown, width);
  }
  const line = (cells: readonly Cell[]) =>
    shown
      .map((each) => place(cells[each.index] ?? '', each))
      .join(GAP)
      .trimEnd();
  const head = line(columns.map(({ title }) => ({ text: title, paint: (text) => colours.aside(text) })));
  return [head, ...rows.map(line)];
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

function excessOf(shown: readonly Shown[], width: number, widthOf: (each: Shown) => number): number {
  return shown.reduce((sum, each) => sum + widthOf(each), GAP.length * (shown.length - 1)) - width;
}

/** Leave out the columns of the highest ranks until the others fit, those that give way at a comfortable width. */
function leaveOut(all: readonly Shown[], width: number): Shown[] {
  const comfortable = (each: Shown) =>
    each.column.shrinks === undefined ? each.full : Math.min(each.full, COMFORTABLE);
  let kept = [...all];
  while (excessOf(kept, width, comfortable) > 0) {
    const rank = Math.max(...kept.map(({ column }) => column.rank ?? 0));
    if (rank === 0) break;
    const last = kept.findLast(({ column }) => column.rank === rank);
    kept = kept.filter((each) => each !== last);
  }
  return kept;
}

/** Take from the widest of the columns that give way until the table fits, or none has anything to give. */
function shrink(shown: readonly Shown[], width: number): void {
  let excess = excessOf(shown, width, (each) => each.width);
  if (excess <= 0) return;
  const giving = shown.filter(({ column }) => column.shrinks !== undefined);
  const least = new Map(
    giving.map((each) => [each, each.column.shrinks === 'middle' ? distinctWidth(each) : NARROWEST]),
  );
  while (excess > 0) {
    const able = giving.filter((each) => each.width > (least.get(each) ?? NARROWEST));
    if (able.length === 0) break;
    const widest = able.reduce((a, b) => (b.width > a.width ? b : a));
    widest.width -= 1;
    excess -= 1;
  }
  for (const each of giving) each.tail = tailFor(each.texts, each.width).tail;
}

/** Cells at which all different texts of a column are still different, not less than NARROWEST. */
function distinctWidth({ texts, full }: Shown): number {
  let width = Math.min(NARROWEST, full);
  while (width < full && tailFor(texts, width).same > 0) width += 1;
  return width;
}

/** How much of a text's end to keep at this width, so that the fewest different texts look the same, and how many do. */
function tailFor(texts: readonly string[], width: number): { readonly tail: number; readonly same: number } {
  const different = [...new Set(texts)];
  const room = width - 1;
  let best = { tail: room >> 1, same: Number.POSITIVE_INFINITY };
  for (const tail of [room >> 1, Math.ceil(room * 0.7), Math.floor(room * 0.25)]) {
    const same = different.length - new Set(different.map((text) => cutMiddle(text, width, tail))).size;
    if (same < best.same) best = { tail, same };
    if (same === 0) break;
  }
  return best;
}

function place(cell: Cell, { column, width, tail }: Shown): string {
  const full = textOf(cell);
  const text = column.shrinks === 'middle' ? cutMiddle(full, width, tail) : cutToCells(full, width);
  const painted = typeof cell === 'string' ? text : cell.paint(text);
  const filling = ' '.repeat(Math.max(0, width - cellWidth(text)));
  return column.right === true ? filling + painted : painted + filling;
}
