import { counted } from '../units.ts';
import { type Html, html, joined } from './html.ts';

/** Rows of one table; the JSON of the summary has all. */
export const ROWS_MAXIMUM = 500;

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Cell;
  /** Its texts are words that stay whole: no names. */
  readonly isWord?: boolean;
}

/** A text; or a number, with the text that people are shown of it. */
export type Cell = string | NumberCell;
export interface NumberCell {
  readonly value: number | undefined;
  readonly text: string;
  /** It is something that went wrong. */
  readonly bad?: boolean;
}

/** A table that the script can sort and filter; nothing for no rows. @param id in the page */
export function tableHtml<Row>(
  id: string,
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Html {
  const [first] = rows;
  if (first === undefined) return joined([]);
  const numeric = columns.map(({ cell }) => typeof cell(first) !== 'string');
  const more = rows.length - ROWS_MAXIMUM;
  return html`
<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
<table class="sorts" id="${id}"><caption>${caption}</caption>
<thead><tr>${columns.map(({ title }, index) => html`<th scope="col" class="${numeric[index] ? 'n' : 't'}">${title}</th>`)}</tr></thead>
<tbody>${rows.slice(0, ROWS_MAXIMUM).map((row) => html`<tr>${columns.map(({ cell, isWord }) => cellHtml(cell(row), isWord ? 't' : 'name'))}</tr>\n`)}</tbody>
</table></div>${more > 0 ? html`<p class="dim">and ${counted(more, 'row')} more: -o summary --json has all</p>` : undefined}`;
}

function cellHtml(cell: Cell, kind: 't' | 'name'): Html {
  if (typeof cell === 'string') return html`<td class="${kind}">${cell}</td>`;
  const { value, text, bad = false } = cell;
  return html`<td class="${bad ? 'n bad' : 'n'}" data-v="${value}">${text}</td>`;
}
