import type { Exchange, Fields } from '../record/event.ts';
import { placeOfFields, SHARED_PLACES } from '../record/shared-fields.ts';
import { ExchangeRow, OTHER } from './exchange-rows.ts';

/** DNS or TLS server names; past it they are counted in the row `other`. */
export const KEYS_MAXIMUM = 2048;

/** What stands between the parts of a key that is made of several. */
export const KEY_SEPARATOR = '\0';

/** Exchanges that wait for being counted. */
const WAITING = 4096;

/** Exchanges grouped by a text: the DNS question, the TLS server name. */
export class KeyedRows {
  readonly #rows = new Map<string, ExchangeRow>();
  #waiting: WaitingExchanges | undefined;

  add(key: string, exchange: Exchange): void {
    const place = placeOfFields(exchange.fields);
    if (place < 0) {
      this.#row(key).add(exchange);
      return;
    }
    this.#waiting ??= new WaitingExchanges();
    if (this.#waiting.add(place, exchange)) return;
    const row = this.#row(key);
    row.add(exchange);
    this.#waiting.expect(place, exchange, row);
  }

  entries(): Iterable<[string, ExchangeRow]> {
    this.#waiting?.count();
    return this.#rows;
  }

  #row(key: string): ExchangeRow {
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
  /** By place: the last exchange that waits, and by exchange the one before it with the same place; -1 for none. */
  readonly #last = new Int16Array(SHARED_PLACES).fill(-1);
  readonly #before = new Int16Array(WAITING);
  /** Places with exchanges that wait. */
  readonly #places = new Int16Array(WAITING);
  #used = 0;
  #size = 0;
  readonly #latency = new Float64Array(WAITING);
  readonly #request = new Float64Array(WAITING);
  readonly #response = new Float64Array(WAITING);

  /** @returns whether it was taken */
  add(place: number, exchange: Exchange): boolean {
    if (this.#fields[place] !== exchange.fields || exchange.incomplete !== undefined) return false;
    const { time, requestEnd, responseTime, responseEnd } = exchange;
    if (responseEnd === undefined || responseEnd !== responseTime || requestEnd !== time || responseEnd < time)
      return false;
    if (this.#size === WAITING) this.count();
    const index = this.#size;
    const before = this.#last[place] as number;
    if (before < 0) {
      this.#places[this.#used] = place;
      this.#used += 1;
    }
    this.#before[index] = before;
    this.#last[place] = index;
    this.#latency[index] = responseEnd - time;
    this.#request[index] = exchange.requestBytes;
    this.#response[index] = exchange.responseBytes;
    this.#size = index + 1;
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
    for (let used = 0; used < this.#used; used += 1) {
      const place = this.#places[used] as number;
      const { first, row } = this.#expected[place] as Expected;
      for (let index = this.#last[place] as number; index >= 0; index = this.#before[index] as number) {
        row.addAlike(
          first,
          this.#latency[index] as number,
          this.#request[index] as number,
          this.#response[index] as number,
        );
      }
      this.#last[place] = -1;
    }
    this.#used = 0;
    this.#size = 0;
  }
}
