import { cellWidth, padEnd } from '../text-width.ts';
import { type Path, parsePath, valuesAt } from './path.ts';
import { valueText } from './value-text.ts';

/** What kubectl writes for a member that is not there. */
const NONE = '<none>';
const GAP = '   ';

export interface SelectedColumn {
  readonly title: string;
  readonly path: Path;
}

/** `CLIENT:.src.pod,PATH:.http.path`, as kubectl's custom-columns. @returns the part that is none, or the columns */
export function parseColumns(text: string): readonly SelectedColumn[] | { readonly wrong: string } {
  const columns: SelectedColumn[] = [];
  for (const part of text.split(',')) {
    const [, title, where = ''] = /^([^:]+):(.+)$/.exec(part.trim()) ?? [];
    // kubectl takes a path with and without its dot, and in braces.
    const bare = /^\{(.*)\}$/.exec(where)?.[1] ?? where;
    const path = parsePath(/^[.[$]/.test(bare) ? bare : `.${bare}`);
    if (title === undefined || path === undefined) return { wrong: part };
    columns.push({ title, path });
  }
  return columns;
}

/** Rows, and characters of them, that are held until all widths are known. */
const HELD_ROWS = 10_000;
const HELD_CHARACTERS = 4 * 1024 * 1024;
/** Cells that a column is padded to at most: one long value must not make every row as long. */
const WIDTH_MAXIMUM = 400;

/** Rows below one another; a column grows to what it holds so far. */
export class ColumnLines {
  readonly #columns: readonly SelectedColumn[];
  readonly #widths: number[];

  constructor(columns: readonly SelectedColumn[]) {
    this.#columns = columns;
    this.#widths = columns.map(() => 0);
  }

  head(): string {
    return this.text(this.titles());
  }

  line(record: unknown): string {
    return this.text(this.cells(record));
  }

  titles(): string[] {
    return this.#columns.map(({ title }) => valueText(title));
  }

  cells(record: unknown): string[] {
    return this.#columns.map(({ path }) => {
      const values = valuesAt(record, path);
      return values.length === 0 ? NONE : values.map(valueText).join(',');
    });
  }

  /** Columns grow to what these cells need. */
  fit(cells: readonly string[]): void {
    for (const [index, cell] of cells.entries()) {
      this.#widths[index] = Math.max(this.#widths[index] ?? 0, Math.min(WIDTH_MAXIMUM, cellWidth(cell)));
    }
  }

  text(cells: readonly string[]): string {
    this.fit(cells);
    return cells
      .map((cell, index) => (index === cells.length - 1 ? cell : padEnd(cell, this.#widths[index] ?? 0)))
      .join(GAP);
  }
}

/**
 * Prints a heading and rows. Rows are held until the end, as kubectl does, so that all have the same widths; past a bound those
 * held are printed, and from then on a column grows to what it holds so far.
 */
export class ColumnRows {
  readonly #lines: ColumnLines;
  readonly #print: (line: string) => void;
  #holds: boolean;
  #held: (readonly string[])[] = [];
  #characters = 0;
  #hasRows = false;

  /** @param holds false where no row may wait: the capture is running */
  constructor(columns: readonly SelectedColumn[], holds: boolean, print: (line: string) => void) {
    this.#lines = new ColumnLines(columns);
    this.#holds = holds;
    this.#print = print;
  }

  row(record: unknown): void {
    if (!this.#hasRows) this.#add(this.#lines.titles());
    this.#hasRows = true;
    this.#add(this.#lines.cells(record));
  }

  /** There are no more rows. */
  end(): void {
    for (const cells of this.#held) this.#print(this.#lines.text(cells));
    this.#held = [];
    this.#holds = false;
  }

  #add(cells: readonly string[]): void {
    if (!this.#holds) {
      this.#print(this.#lines.text(cells));
      return;
    }
    this.#lines.fit(cells);
    this.#held.push(cells);
    for (const cell of cells) this.#characters += cell.length;
    if (this.#held.length >= HELD_ROWS || this.#characters >= HELD_CHARACTERS) this.end();
  }
}
