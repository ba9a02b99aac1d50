import { sanitise } from '../sanitise.ts';
import { cellWidth, cutToCells } from '../text-width.ts';
import { latencyText } from '../units.ts';
import { type Line, LOOK, type Span, span } from './line.ts';

/** A column of a view's table. */
export interface TopColumn<Row> {
  readonly title: string;
  /** Cells it takes; of one that grows, at least. */
  readonly width: number;
  /** Takes a share of the cells that are left. */
  readonly grows?: boolean;
  /** Numbers stand right. */
  readonly right?: boolean;
  /** On a narrow screen the columns with the highest give way; 0 stays always. */
  readonly rank: number;
  /** @param width cells it was given */
  cell(row: Row, width: number): Span;
}

/** A column of times, `-` where there is none. @param pick ns */
export function timeColumn<Row>(title: string, rank: number, pick: (row: Row) => number | undefined): TopColumn<Row> {
  return {
    title,
    width: 7,
    right: true,
    rank,
    cell: (row) => {
      const value = pick(row);
      return span(value === undefined ? '-' : latencyText(value));
    },
  };
}

/** A column and the cells it was given. */
interface Placed<Row> {
  readonly column: TopColumn<Row>;
  readonly width: number;
}

const GAP = 1;

/** Choose the columns that fit into a width and share out what is left. */
export function placeColumns<Row>(columns: readonly TopColumn<Row>[], width: number): readonly Placed<Row>[] {
  let kept = [...columns];
  const needed = () => kept.reduce((sum, column) => sum + column.width + GAP, -GAP);
  while (needed() > width) {
    const rank = Math.max(...kept.map((column) => column.rank));
    if (rank === 0) break;
    const last = kept.findLast((column) => column.rank === rank);
    kept = kept.filter((column) => column !== last);
  }
  const growing = kept.filter(({ grows }) => grows === true);
  let left = Math.max(0, width - needed());
  return kept.map((column) => {
    if (column.grows !== true) return { column, width: column.width };
    const share = Math.floor(left / (growing.length - growing.indexOf(column)));
    left -= share;
    return { column, width: column.width + share };
  });
}

export function headOf<Row>(placed: readonly Placed<Row>[]): Line {
  return joined(
    placed.map(({ column, width }) => fitted(span(column.title, LOOK.aside), width, column.right === true)),
  );
}

export function rowOf<Row>(placed: readonly Placed<Row>[], row: Row): Line {
  return joined(placed.map(({ column, width }) => fitted(column.cell(row, width), width, column.right === true)));
}

function joined(cells: readonly (readonly Span[])[]): Line {
  const gap = span(' '.repeat(GAP));
  return { spans: cells.flatMap((cell, index) => (index === 0 ? cell : [gap, ...cell])) };
}

/** A text of exactly so many cells. */
function fitted({ text, look }: Span, width: number, right: boolean): Span[] {
  const shown = cutToCells(sanitise(text), width);
  const filling = span(' '.repeat(Math.max(0, width - cellWidth(shown))));
  return right ? [filling, { text: shown, look }] : [{ text: shown, look }, filling];
}
