import type { EventRecord } from '../../analyze/record/record.ts';
import { grouped } from '../units.ts';
import { headOf, placeColumns, rowOf, type TopColumn } from './columns.ts';
import { type Line, line, span } from './line.ts';
import type { EventList } from './model.ts';
import { Scroll } from './scroll.ts';
import type { Key, View } from './view.ts';

export interface EventListSource {
  readonly columns: readonly TopColumn<EventRecord>[];
  events(): EventList;
  enter(record: EventRecord): void;
}

/**
 * Exchanges, messages and events as they come, the newest last. The cursor follows the newest until it is moved away from
 * it; then it stays on its row, until that is kept no more. Only rows that are seen are made.
 */
export class EventListView implements View {
  readonly orders = [];
  readonly order = undefined;
  readonly #source: EventListSource;
  readonly #scroll = new Scroll();
  #follows = true;
  /** Numbers of the event the cursor is on, of the oldest and of the next to come: as they were last drawn. */
  #at = 0;
  #first = 0;
  #end = 0;

  constructor(source: EventListSource) {
    this.#source = source;
  }

  get status(): string | undefined {
    const listed = this.#end - this.#first;
    if (listed === 0) return undefined;
    const place = this.#follows ? 'following' : `${grouped(this.#at - this.#first + 1)} of`;
    return `${place} ${grouped(listed)}${this.#first === 0 ? '' : `, ${grouped(this.#first)} gone`}`;
  }

  sortBy(): void {}

  lines(width: number, height: number): readonly Line[] {
    const events = this.#source.events();
    const { first, end } = events;
    const scroll = this.#scroll;
    // Rows are counted from the oldest: what went moves all others up.
    scroll.top -= first - this.#first;
    this.#first = first;
    // Numbers begin anew with another expression, or another place in a file.
    if (end < this.#end) this.#follows = true;
    this.#end = end;
    if (end === first) return [line(span('No exchanges yet.'))];
    scroll.cursor = this.#follows ? end - first - 1 : Math.max(0, this.#at - first);
    scroll.fit(end - first, height - 1);
    this.#at = first + scroll.cursor;
    const placed = placeColumns(this.#source.columns, width);
    const lines = [headOf(placed)];
    for (let row = 0; row < height - 1; row += 1) {
      const record = events.at(first + scroll.top + row);
      if (record === undefined) break;
      lines.push({ ...rowOf(placed, record), selected: scroll.top + row === scroll.cursor });
    }
    return lines;
  }

  key({ name }: Key): boolean {
    if (name === 'enter') {
      const record = this.#source.events().at(this.#at);
      if (record !== undefined) this.#source.enter(record);
      return record !== undefined;
    }
    if (name === 'f') {
      this.#follows = !this.#follows;
      return true;
    }
    if (!this.#scroll.key(name)) return false;
    this.#at = this.#first + this.#scroll.cursor;
    this.#follows = this.#at === this.#end - 1;
    return true;
  }
}
