import { join } from 'node:path';
import type { FieldTable } from '../../analyze/protocols/protocol.ts';
import { type Column, columnsByMember } from './columns.ts';
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
  readonly #columns: ReturnType<typeof columnsByMember>;
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
    this.#columns = columnsByMember(fields);
    this.#always = [...columnsByMember(always).keys()];
  }

  /** @throws KsnoopError CANNOT_WRITE */
  add(row: Row): void {
    // 2026-11-29T15
    const text = row.time.slice(0, 13);
    if (this.#last === undefined || text !== this.#lastText) {
      this.#last = this.#hour(this.#partition(text));
      this.#lastText = text;
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
    most.group();
  }

  #hour(name: string): Hour {
    let hour = this.#open.get(name);
    if (hour === undefined) {
      if (this.#open.size >= OPEN_HOURS) this.#closeOldest();
      const ownName = this.#part === undefined ? undefined : () => this.#nextName(name);
      hour = new Hour(join(this.#directory, name), this.#columns, this.#always, ownName);
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

const NONE: readonly Column[] = [];

/** Rows of one hour: one file, and another one each time that columns join after its first row group. */
class Hour {
  readonly #directory: string;
  readonly #all: ReturnType<typeof columnsByMember>;
  readonly #nextName: (() => string) | undefined;
  readonly #columns = new Map<string, Column[]>();
  #part: Part | undefined;
  /** Not written yet. */
  rows = 0;
  characters = 0;
  files = 0;

  constructor(
    directory: string,
    all: ReturnType<typeof columnsByMember>,
    always: readonly string[],
    nextName?: () => string,
  ) {
    this.#directory = directory;
    this.#nextName = nextName;
    this.#all = all;
    for (const member of always) this.#join(member);
  }

  /** @returns characters that the row keeps */
  add(row: Row): number {
    const record = row as Row & Readonly<Record<string, unknown>>;
    for (const member in record) {
      if (this.#columns.has(member) || record[member] === undefined || !this.#all.has(member)) continue;
      this.#endPart();
      this.#join(member);
    }
    let characters = 0;
    for (const member in record) {
      const value = record[member];
      if (value === undefined) continue;
      for (const column of this.#columns.get(member) ?? NONE) characters += column.set(value, this.rows);
    }
    this.rows += 1;
    this.characters += characters;
    return characters;
  }

  end(): void {
    if (this.rows > 0) this.group();
    this.#endPart();
  }

  #join(member: string): void {
    this.#columns.set(
      member,
      (this.#all.get(member) ?? []).map((make) => make()),
    );
  }

  /** Write what is in memory as a row group. */
  group(): void {
    const columns = [...this.#columns.values()].flat();
    this.#part ??= new Part(this.#directory, columns, this.#nextName?.());
    this.#part.group(columns, this.rows);
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
