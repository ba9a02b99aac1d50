import type { Line } from './line.ts';
import { type LineSource, Pane } from './pane.ts';
import type { Key, View } from './view.ts';

/** Lines of what is open. @param width cells */
export type Detail = (width: number) => readonly LineSource[];

/** A list of which one thing can be open over it, until Esc. */
export class DetailView implements View {
  readonly #list: View;
  #detail: Detail | undefined;
  #pane = new Pane();

  /** @param makeList gets a function that opens a detail */
  constructor(makeList: (open: (detail: Detail) => void) => View) {
    this.#list = makeList((detail) => {
      this.#detail = detail;
      this.#pane = new Pane();
    });
  }

  get orders(): readonly string[] {
    return this.#list.orders;
  }

  get order(): string | undefined {
    return this.#list.order;
  }

  get status(): string | undefined {
    return this.#detail === undefined ? this.#list.status : (this.#pane.status ?? 'Esc back');
  }

  sortBy(order: string): void {
    this.#list.sortBy(order);
  }

  lines(width: number, height: number): readonly Line[] {
    return this.#detail === undefined ? this.#list.lines(width, height) : this.#pane.lines(this.#detail(width), height);
  }

  key(key: Key): boolean {
    if (this.#detail === undefined) return this.#list.key(key);
    if (key.name !== 'escape' && key.name !== 'backspace' && key.name !== 'h') return this.#pane.key(key.name);
    this.#detail = undefined;
    return true;
  }
}
