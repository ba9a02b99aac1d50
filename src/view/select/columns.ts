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

/** Rows below one another; a column grows to what it holds so far. */
export class ColumnLines {
  readonly #columns: readonly SelectedColumn[];
  readonly #widths: number[];

  constructor(columns: readonly SelectedColumn[]) {
    this.#columns = columns;
    this.#widths = columns.map(() => 0);
  }

  head(): string {
    return this.#line(this.#columns.map(({ title }) => valueText(title)));
  }

  line(record: unknown): string {
    return this.#line(
      this.#columns.map(({ path }) => {
        const values = valuesAt(record, path);
        return values.length === 0 ? NONE : values.map(valueText).join(',');
      }),
    );
  }

  #line(cells: readonly string[]): string {
    return cells
      .map((cell, index) => {
        const width = Math.max(this.#widths[index] ?? 0, cellWidth(cell));
        this.#widths[index] = width;
        return index === cells.length - 1 ? cell : padEnd(cell, width);
      })
      .join(GAP);
  }
}
