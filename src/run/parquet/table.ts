import { join } from 'node:path';
import type { FieldTable } from '../../analyze/protocols/protocol.ts';
import type { Column } from './columns.ts';
import { Member } from './members.ts';
import { Part } from './part.ts';

/** Rows, and characters of text in them, of a table that are in memory: then the hour with the most rows writes a row group. */
const GROUP_ROWS = 20_000;
const GROUP_CHARACTERS = 8 << 20;

/**
 * Hours whose files are open at once: exchanges that took long come behind later ones, flows of a whole day at its end. With times
 * that jump further to and fro each jump makes a file.
 */
const OPEN_HOURS = 200;

/** Directories of hours at most; a file with invented times could make any number. The rest shares one, as Hive names it. */
const HOURS_MAXIMUM = 10_000;
const NO_HOUR = '__HIVE_DEFAULT_PARTITION__';

const HOUR_CHARACTERS = '2026-11-29T15'.length;
/** No time begins with it. */
const NO_TIME = '-';

/** A row: a record of the JSON output, or of the same form. */
export interface Row {
  /** RFC 3339, UTC. */
  readonly time: string;
}

/** What is different from other tables. */
export interface TableOptions {
  /** Directories at most. */
  readonly hoursMaximum?: number;
  /** Which part of many captures the rows are of: files have names made of it, and replace those of an earlier attempt at the same part. */
  readonly part?: string | undefined;
}

/** A table in a directory of Parquet files: `date=2026-11-29/hour=15/ksnoop-….parquet`, in UTC. */
export class Table {
  readonly #directory: string;
  readonly #fields: FieldTable;
  /** Members that every file has. */
  readonly #always: readonly string[];
  readonly #hoursMaximum: number;
  readonly #part: string | undefined;
  /** Files that were begun, by directory: with `part` their numbers. */
  readonly #begun = new Map<string, number>();
  readonly #open = new Map<string, Hour>();
  readonly #hours = new Set<string>();
  /** The hour of the last row. */
  #last: Hour | undefined;
  #lastText = '';
  /** In memory. */
  #rows = 0;
  #characters = 0;
  rows = 0;
  files = 0;

  /**
   * @param fields every column
   * @param always those of them that every file has; others come with the first row that has them
   */
  constructor(
    directory: string,
    fields: FieldTable,
    always: FieldTable = fields,
    { hoursMaximum = HOURS_MAXIMUM, part }: TableOptions = {},
  ) {
    this.#part = part;
    this.#directory = directory;
    this.#hoursMaximum = hoursMaximum;
    this.#fields = fields;
    this.#always = [...new Set(Object.keys(always).map((path) => path.split('.', 1)[0] ?? path))];
  }

  /** @throws KsnoopError CANNOT_WRITE */
  add(row: Row): void {
    if (this.#last === undefined || !row.time.startsWith(this.#lastText)) {
      const text = row.time.slice(0, HOUR_CHARACTERS);
      this.#last = this.#hour(this.#partition(text));
      this.#lastText = text.length === HOUR_CHARACTERS ? text : NO_TIME;
    }
    this.#characters += this.#last.add(row);
    this.#rows += 1;
    this.rows += 1;
    if (this.#rows >= GROUP_ROWS || this.#characters >= GROUP_CHARACTERS) this.#group();
  }

  #group(): void {
    let most: Hour | undefined;
    for (const hour of this.#open.values()) if (most === undefined || hour.rows > most.rows) most = hour;
    if (most === undefined) return;
    this.#rows -= most.rows;
    this.#characters -= most.characters;
    // Of many hours each would have memory for as many rows as all of them may have.
    most.group(this.#open.size === 1);
  }

  #hour(name: string): Hour {
    let hour = this.#open.get(name);
    if (hour === undefined) {
      if (this.#open.size >= OPEN_HOURS) this.#closeOldest();
      const ownName = this.#part === undefined ? undefined : () => this.#nextName(name);
      hour = new Hour(join(this.#directory, name), this.#fields, this.#always, ownName);
    }
    // The one that was used last comes last.
    this.#open.delete(name);
    this.#open.set(name, hour);
    return hour;
  }

  /** @throws KsnoopError CANNOT_WRITE */
  end(): void {
    while (this.#open.size > 0) this.#closeOldest();
  }

  #partition(hour: string): string {
    const name = join(`date=${hour.slice(0, 10)}`, `hour=${hour.slice(11)}`);
    if (!this.#hours.has(name)) {
      if (this.#hours.size >= this.#hoursMaximum) return join(`date=${NO_HOUR}`, `hour=${NO_HOUR}`);
      this.#hours.add(name);
    }
    return name;
  }

  /** The same rows in the same order have files of the same names. */
  #nextName(directory: string): string {
    const number = (this.#begun.get(directory) ?? 0) + 1;
    this.#begun.set(directory, number);
    return `part-${this.#part}-${String(number).padStart(5, '0')}`;
  }

  #closeOldest(): void {
    for (const [name, hour] of this.#open) {
      this.#rows -= hour.rows;
      this.#characters -= hour.characters;
      hour.end();
      this.files += hour.files;
      this.#open.delete(name);
      return;
    }
  }
}

/** Rows of one hour: one file, and another one each time that columns join after its first row group. */
class Hour {
  readonly #directory: string;
  readonly #nextName: (() => string) | undefined;
  readonly #members: Member;
  /** In the order of the file. */
  #columns: readonly Column[] = [];
  #part: Part | undefined;
  /** Not written yet. */
  rows = 0;
  characters = 0;
  files = 0;

  constructor(directory: string, fields: FieldTable, always: readonly string[], nextName?: () => string) {
    this.#directory = directory;
    this.#nextName = nextName;
    this.#members = Member.of(fields);
    for (const [place, name] of always.entries()) {
      const member = this.#members.at(name, place);
      if (member !== undefined) this.#join(member);
    }
  }

  /** @returns characters that the row keeps */
  add(row: Row): number {
    const record = row as Row & Readonly<Record<string, unknown>>;
    let place = 0;
    let characters = 0;
    for (const name in record) {
      const member = this.#members.at(name, place);
      place += 1;
      const value = record[name];
      if (value === undefined || member === undefined) continue;
      if (!member.hasJoined) this.#join(member);
      characters += member.add(value, this.rows);
    }
    this.rows += 1;
    this.characters += characters;
    return characters;
  }

  end(): void {
    if (this.rows > 0) this.group(false);
    this.#endPart();
  }

  #join(member: Member): void {
    this.#endPart();
    this.#columns = [...this.#columns, ...member.join()];
  }

  /** Write what is in memory as a row group. @param keep the memory of the columns */
  group(keep: boolean): void {
    this.#part ??= new Part(this.#directory, this.#columns, this.#nextName?.());
    this.#part.group(this.#columns, this.rows);
    for (const column of this.#columns) column.clear(keep);
    this.rows = 0;
    this.characters = 0;
  }

  /** The columns of a file stay: rows that are not written yet go into the next one. */
  #endPart(): void {
    if (this.#part === undefined) return;
    this.#part.end();
    this.#part = undefined;
    this.files += 1;
  }
}
