import { sanitise } from '../sanitise.ts';
import { cellsOf } from '../text-width.ts';
import { type Line, LOOK, type Look } from './line.ts';

/** In a cell's look: the cursor is on it. */
export const SELECTED = 0x40;

/** Marks that a character may carry: a stack of hundreds is not text but an attack on the display. */
const MARKS_PER_CELL = 2;

/** What a terminal without UTF-8 is given for the characters ksnoop draws with. */
const ASCII: Readonly<Record<string, string>> = {
  '…': '~',
  µ: 'u',
  '·': '.',
  '─': '-',
  '│': '|',
  '▸': '>',
  '↑': '^',
  '↓': 'v',
  '±': '~',
  '▁': '.',
  '▂': ':',
  '▃': '-',
  '▄': '=',
  '▅': '+',
  '▆': '*',
  '▇': '#',
  '█': '@',
};

/** A screenful: what stands in every cell, and how it looks. */
export class Frame {
  readonly columns: number;
  readonly rows: number;
  /** The character with its marks; empty in the second cell of a wide one. */
  readonly cells: string[];
  readonly looks: Uint8Array;
  readonly #utf8: boolean;

  /** @param utf8 whether the terminal takes it; else everything is made ASCII */
  constructor(columns: number, rows: number, utf8: boolean) {
    this.columns = columns;
    this.rows = rows;
    this.#utf8 = utf8;
    this.cells = new Array(columns * rows).fill(' ');
    this.looks = new Uint8Array(columns * rows);
  }

  /** Draw a line over a whole row. @param base the style of spans without one */
  draw(row: number, { spans, selected }: Line, base: Look = LOOK.plain): void {
    if (row < 0 || row >= this.rows) return;
    const flag = selected === true ? SELECTED : 0;
    const start = row * this.columns;
    this.cells.fill(' ', start, start + this.columns);
    this.looks.fill(base | flag, start, start + this.columns);
    let column = 0;
    for (const { text, look } of spans) {
      column = this.#put(row, column, text, (look === undefined || look === LOOK.plain ? base : look) | flag);
      if (column >= this.columns) return;
    }
  }

  /** @returns the column after it */
  #put(row: number, from: number, text: string, look: number): number {
    const start = row * this.columns;
    let column = from;
    let marks = 0;
    for (const character of sanitise(text)) {
      const shown = this.#utf8 || character <= '~' ? character : (ASCII[character] ?? '?');
      const width = this.#utf8 ? cellsOf(character) : 1;
      if (width === 0) {
        marks += 1;
        const carrier = start + column - (this.cells[start + column - 1] === '' ? 2 : 1);
        if (column > from && marks <= MARKS_PER_CELL) this.cells[carrier] += shown;
        continue;
      }
      marks = 0;
      if (column + width > this.columns) return this.columns;
      this.cells[start + column] = shown;
      this.looks[start + column] = look;
      if (width === 2) {
        this.cells[start + column + 1] = '';
        this.looks[start + column + 1] = look;
      }
      column += width;
    }
    return column;
  }
}
