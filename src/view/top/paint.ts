import { type Frame, SELECTED } from './frame.ts';
import { LOOK } from './line.ts';

/** Select Graphic Rendition (ECMA-48, 8.3.117) of every look: the eight colours that any terminal has, or none. */
const COLOURED: Readonly<Record<number, string>> = {
  [LOOK.plain]: '',
  [LOOK.strong]: ';1',
  [LOOK.aside]: ';2',
  [LOOK.failure]: ';31',
  [LOOK.warning]: ';33',
  [LOOK.good]: ';32',
  [LOOK.name]: ';36',
  [LOOK.bar]: ';7',
  [LOOK.alarm]: ';1;37;41',
};
const COLOURLESS: Readonly<Record<number, string>> = {
  ...COLOURED,
  [LOOK.failure]: ';1',
  [LOOK.warning]: ';4',
  [LOOK.good]: '',
  [LOOK.name]: '',
  [LOOK.alarm]: ';1',
};

/** Equal cells between two changes that are written again because moving costs more. */
const CLOSE = 4;

/**
 * What to send to a terminal that shows `before` so that it shows `frame`: only cells that changed.
 * @param before undefined when nothing is known of it
 */
export function changes(before: Frame | undefined, frame: Frame, colour: boolean): string {
  const same = before?.columns === frame.columns && before.rows === frame.rows;
  const pen = new Pen(colour ? COLOURED : COLOURLESS);
  if (!same) pen.clear();
  for (let row = 0; row < frame.rows; row += 1) {
    const start = row * frame.columns;
    const differs = (column: number) =>
      same
        ? before.cells[start + column] !== frame.cells[start + column] ||
          before.looks[start + column] !== frame.looks[start + column]
        : frame.cells[start + column] !== ' ' || frame.looks[start + column] !== 0;
    let column = 0;
    while (column < frame.columns) {
      if (!differs(column)) {
        column += 1;
        continue;
      }
      // A wide character is written as a whole.
      if (frame.cells[start + column] === '' && column > 0) column -= 1;
      let end = column + 1;
      let equal = 0;
      for (let at = end; at < frame.columns && equal <= CLOSE; at += 1) {
        const before = frame.cells[start + at - 1] ?? '';
        if (differs(at) || frame.cells[start + at] === '' || (end === at && !isCertain(before))) {
          end = at + 1;
          equal = 0;
        } else equal += 1;
      }
      pen.moveTo(row, column);
      for (let at = column; at < end; at += 1) {
        const cells = frame.cells[start + at + 1] === '' && at + 1 < frame.columns ? 2 : 1;
        pen.write(row, at, frame.cells[start + at] ?? ' ', cells, frame.looks[start + at] ?? 0);
      }
      column = end;
    }
  }
  return pen.text();
}

class Pen {
  readonly #codes: Readonly<Record<number, string>>;
  #text = '';
  #look = -1;

  constructor(codes: Readonly<Record<number, string>>) {
    this.#codes = codes;
  }

  clear(): void {
    this.#text += '\x1b[0m\x1b[2J';
    this.#look = LOOK.plain;
  }

  moveTo(row: number, column: number): void {
    this.#text += `\x1b[${row + 1};${column + 1}H`;
  }

  /** @param cells that it takes, as ksnoop counts */
  write(row: number, column: number, cell: string, cells: 1 | 2, look: number): void {
    if (cell === '') return;
    if (look !== this.#look) {
      const selected = (look & SELECTED) === 0 ? '' : ';7';
      this.#text += `\x1b[0${this.#codes[look & ~SELECTED] ?? ''}${selected}m`;
      this.#look = look;
    }
    if (isCertain(cell)) {
      this.#text += cell;
      return;
    }
    // Terminals differ on how wide it is: its cells are emptied first, and what follows is placed anew.
    this.#text += ' '.repeat(cells);
    this.moveTo(row, column);
    this.#text += cell;
    this.moveTo(row, column + cells);
  }

  text(): string {
    return this.#text === '' ? '' : `${this.#text}\x1b[0m`;
  }
}

/** Characters on whose width terminals agree: those before the combining marks, and what ksnoop itself draws with. */
function isCertain(cell: string): boolean {
  if (cell.length !== 1) return cell === '';
  const code = cell.charCodeAt(0);
  return code < 0x300 || (code >= 0x2500 && code <= 0x259f) || cell === '…';
}
