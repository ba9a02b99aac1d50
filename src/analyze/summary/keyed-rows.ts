import type { Exchange } from '../record/event.ts';
import { ExchangeRow, OTHER } from './exchange-rows.ts';

/** DNS or TLS server names; past it they are counted in the row `other`. */
export const KEYS_MAXIMUM = 2048;

/** What stands between the parts of a key that is made of several. */
export const KEY_SEPARATOR = '\0';

/** Exchanges grouped by a text: the DNS question, the TLS server name. */
export class KeyedRows {
  readonly #rows = new Map<string, ExchangeRow>();

  add(key: string, exchange: Exchange): void {
    this.of(key).add(exchange);
  }

  entries(): Iterable<[string, ExchangeRow]> {
    return this.#rows;
  }

  /** The row of a key; one that there is already stays its row. */
  of(key: string): ExchangeRow {
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const name = this.#rows.size >= KEYS_MAXIMUM - 1 ? OTHER : key;
    let row = this.#rows.get(name);
    if (row === undefined) {
      row = new ExchangeRow();
      this.#rows.set(name, row);
    }
    return row;
  }
}
