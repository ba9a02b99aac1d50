import type { Fields } from './event.ts';

/** Places are below this number. */
export const SHARED_PLACES = 4096;

const PLACE = Symbol('place');

type Placed = Fields & { readonly [PLACE]?: number };

/**
 * Fields that many exchanges have in common, and with them label, route, status and whether they failed: one object, so that what
 * is found out from it holds for all of them.
 * @param place where that may be kept; other fields may have the same place
 */
export function sharedFields(fields: Fields, place: number): Fields {
  // Not enumerable: no output has it, and fields that are made of these do not take it along.
  return Object.defineProperty(fields, PLACE, { value: place });
}

/** The place of shared fields; -1 for fields of one exchange. */
export function placeOfFields(fields: Fields): number {
  return (fields as Placed)[PLACE] ?? -1;
}

/** What is found out from fields, once for those that exchanges share. */
export class FieldFacts<Facts> {
  readonly #of: (Fields | undefined)[] = [];
  readonly #facts: (Facts | undefined)[] = [];
  readonly #find: (fields: Fields) => Facts;

  constructor(find: (fields: Fields) => Facts) {
    this.#find = find;
  }

  of(fields: Fields): Facts {
    const place = placeOfFields(fields);
    if (place < 0) return this.#find(fields);
    if (this.#of[place] === fields) return this.#facts[place] as Facts;
    if (this.#of.length === 0) {
      // Whole from the start: with holes, an array that is filled in no order becomes a slow one.
      for (let each = 0; each < SHARED_PLACES; each += 1) {
        this.#of.push(undefined);
        this.#facts.push(undefined);
      }
    }
    const facts = this.#find(fields);
    this.#of[place] = fields;
    this.#facts[place] = facts;
    return facts;
  }
}
