import { headOf, placeColumns, rowOf, type TopColumn } from './columns.ts';
import { type Line, line } from './line.ts';
import { Scroll } from './scroll.ts';
import type { Key, View } from './view.ts';

export interface TableOrder<Row> {
  readonly name: string;
  compare(a: Row, b: Row): number;
}

/** What a view that is a table consists of. */
export interface TableSource<Row> {
  readonly columns: readonly TopColumn<Row>[];
  /** The first is the one to begin with. */
  readonly orders: readonly TableOrder<Row>[];
  rows(): readonly Row[];
  /** The same for the same thing, whatever is counted of it: the cursor stays on it. */
  keyOf(row: Row): string | number;
  /** What rows are called: `services`. */
  readonly noun: string;
  /** Shown when there are no rows. */
  readonly empty: string;
  enter?(row: Row): void;
}

/** Rows in columns, sorted, with a cursor that stays on its row: all but the columns of most views. */
export class TableView<Row> implements View {
  readonly orders: readonly string[];
  readonly #source: TableSource<Row>;
  readonly #scroll = new Scroll();
  #order: TableOrder<Row> | undefined;
  #at: string | number | undefined;
  #unsorted: readonly Row[] | undefined;
  #sortedBy: TableOrder<Row> | undefined;
  #sorted: readonly Row[] = [];

  constructor(source: TableSource<Row>) {
    this.#source = source;
    this.orders = source.orders.map(({ name }) => name);
    this.#order = source.orders[0];
  }

  get order(): string | undefined {
    return this.#order?.name;
  }

  get status(): string | undefined {
    const { length } = this.#sorted;
    return length === 0 ? undefined : `${this.#scroll.cursor + 1} of ${length} ${this.#source.noun}`;
  }

  sortBy(order: string): void {
    this.#order = this.#source.orders.find(({ name }) => name === order) ?? this.#order;
  }

  lines(width: number, height: number): readonly Line[] {
    const rows = this.#rows();
    if (rows.length === 0) return [line({ text: this.#source.empty })];
    const placed = placeColumns(this.#source.columns, width);
    const place = this.#at === undefined ? -1 : rows.findIndex((row) => this.#source.keyOf(row) === this.#at);
    if (place >= 0) this.#scroll.cursor = place;
    this.#scroll.fit(rows.length, height - 1);
    const { top, cursor } = this.#scroll;
    const seen = rows.slice(top, top + height - 1);
    return [headOf(placed), ...seen.map((row, index) => ({ ...rowOf(placed, row), selected: top + index === cursor }))];
  }

  key({ name }: Key): boolean {
    const rows = this.#sorted;
    if (name === 'enter' && this.#source.enter !== undefined) {
      const row = rows[this.#scroll.cursor];
      if (row !== undefined) this.#source.enter(row);
      return row !== undefined;
    }
    if (!this.#scroll.key(name)) return false;
    const row = rows[this.#scroll.cursor];
    // At the top it stays at the top, whichever row comes to be there.
    this.#at = row === undefined || this.#scroll.cursor === 0 ? undefined : this.#source.keyOf(row);
    return true;
  }

  #rows(): readonly Row[] {
    const rows = this.#source.rows();
    if (rows !== this.#unsorted || this.#order !== this.#sortedBy) {
      const order = this.#order;
      this.#sorted = order === undefined ? rows : [...rows].sort((a, b) => order.compare(a, b));
      this.#unsorted = rows;
      this.#sortedBy = order;
    }
    return this.#sorted;
  }
}
