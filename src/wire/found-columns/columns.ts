import type { NumberColumn } from './numbers.ts';
import type { StringColumn } from './strings.ts';
import { LIST_STRIDE, SLOT } from './template.ts';

/** What is remembered of the values of one slot. */
export type Column =
  | ({ readonly kind: 'number' } & NumberColumn)
  | ({ readonly kind: 'string' } & StringColumn)
  | { readonly kind: 'numbers'; readonly parts: readonly NumberColumn[] };

/** A column for each slot of a template. */
export function columnsOf(template: string): Column[] {
  const columns: Column[] = [];
  for (const character of template) {
    if (character === SLOT.number) columns.push({ kind: 'number', last: Number.NaN });
    else if (character === SLOT.string) columns.push({ kind: 'string', last: undefined });
    else if (character === SLOT.numbers) {
      columns.push({ kind: 'numbers', parts: Array.from({ length: LIST_STRIDE }, () => ({ last: Number.NaN })) });
    }
  }
  return columns;
}
