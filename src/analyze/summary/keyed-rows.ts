import type { Exchange, Fields } from '../record/event.ts';
import { placeOfFields, SHARED_PLACES } from '../record/shared-fields.ts';
import { ExchangeRow, OTHER } from './exchange-rows.ts';

/** DNS or TLS server names; past it they are counted in the row `other`. */
export const KEYS_MAXIMUM = 2048;

/** What stands between the parts of a key that is made of several. */
export const KEY_SEPARATOR = '\0';

/** Exchanges that wait for being counted; the places of their numbers are 16 bits. */
const WAITING = 8000;
/** Numbers of each: latency, bytes of the request and of the response, and the exchange before it with the same place. */
const STRIDE = 4;

/** Exchanges grouped by a text: the DNS question, the TLS server name. */
export class KeyedRows {
  readonly #rows = new Map<string, ExchangeRow>();
  #waiting: WaitingExchanges | undefined;

  add(key: string, exchange: Exchange): void {
    const place = placeOfFields(exchange.fields);
    if (place < 0) {
      this.of(key).add(exchange);
      return;
    }
    this.#waiting ??= new WaitingExchanges();
    if (this.#waiting.add(place, exchange)) return;
    const row = this.of(key);
    row.add(exchange);
    this.#waiting.expect(place, exchange, row);
  }

  entries(): Iterable<[string, ExchangeRow]> {
    this.#waiting?.count();
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

/** Exchanges that differ from the first one with the same shared fields only in their times and bytes. */
interface Expected {
  readonly first: Exchange;
  readonly row: ExchangeRow;
}

/**
 * Exchanges of one packet each way with shared fields, counted many at a time and row by row: where hundreds of names take
 * turns, a row would have to come from memory for each of them.
 */
class WaitingExchanges {
  readonly #fields: (Fields | undefined)[] = new Array<Fields | undefined>(SHARED_PLACES).fill(undefined);
  readonly #expected: (Expected | undefined)[] = new Array<Expected | undefined>(SHARED_PLACES).fill(undefined);
  /** By place: where the last exchange that waits is; -1 for none. */
  readonly #last = new Int16Array(SHARED_PLACES).fill(-1);
  /** Places with exchanges that wait. */
  readonly #places = new Int16Array(WAITING);
  #used = 0;
  #size = 0;
  readonly #numbers = new Float64Array(WAITING * STRIDE);

  /** @returns whether it was taken */
  add(place: number, exchange: Exchange): boolean {
    if (this.#fields[place] !== exchange.fields || exchange.incomplete !== undefined) return false;
    const { time, requestEnd, responseTime, responseEnd } = exchange;
    if (responseEnd === undefined || responseEnd !== responseTime || requestEnd !== time || responseEnd < time)
      return false;
    if (this.#size === this.#numbers.length) this.count();
    const at = this.#size;
    const numbers = this.#numbers;
    const before = this.#last[place] as number;
    if (before < 0) {
      this.#places[this.#used] = place;
      this.#used += 1;
    }
    this.#last[place] = at;
    numbers[at] = responseEnd - time;
    numbers[at + 1] = exchange.requestBytes;
    numbers[at + 2] = exchange.responseBytes;
    numbers[at + 3] = before;
    this.#size = at + STRIDE;
    return true;
  }

  /** Take what comes with the fields of an exchange that is counted already, so that its status is in the row. */
  expect(place: number, first: Exchange, row: ExchangeRow): void {
    if (this.#fields[place] === first.fields || first.incomplete !== undefined) return;
    this.count();
    this.#fields[place] = first.fields;
    this.#expected[place] = { first, row };
  }

  /** Count what waits. */
  count(): void {
    const numbers = this.#numbers;
    for (let used = 0; used < this.#used; used += 1) {
      const place = this.#places[used] as number;
      const { first, row } = this.#expected[place] as Expected;
      for (let at = this.#last[place] as number; at >= 0; at = numbers[at + 3] as number) {
        row.addAlike(first, numbers[at] as number, numbers[at + 1] as number, numbers[at + 2] as number);
      }
      this.#last[place] = -1;
    }
    this.#used = 0;
    this.#size = 0;
  }
}
