import type { Fields, FieldValue } from './event.ts';

/**
 * Fields of an HTTP exchange that are read from its heads only when they are used: those of most exchanges are not. Their one member
 * is read like a member of any fields; code that copies or lists fields calls `wholeFields` first.
 */
export class LateFields implements Fields {
  readonly [name: string]: FieldValue | undefined;
  #make: (() => Fields) | undefined;
  #change: ((fields: Fields) => Fields) | undefined;
  #made: Fields = {};

  /** @param make reads them; called once */
  constructor(make: () => Fields) {
    this.#make = make;
  }

  get http(): FieldValue | undefined {
    return LateFields.whole(this).http;
  }

  /** @param change is applied when they are read @returns the same object */
  static changed(fields: LateFields, change: (fields: Fields) => Fields): LateFields {
    fields.#change = change;
    return fields;
  }

  static whole(fields: LateFields): Fields {
    if (fields.#make !== undefined) {
      const made = fields.#make();
      fields.#made = fields.#change?.(made) ?? made;
      // What they were read from is not needed any more.
      fields.#make = undefined;
    }
    return fields.#made;
  }
}

/** The fields with all of their members. */
export function wholeFields(fields: Fields): Fields {
  return fields instanceof LateFields ? LateFields.whole(fields) : fields;
}
