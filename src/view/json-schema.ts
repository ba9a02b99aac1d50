import type { FieldTable, FieldType } from '../analyze/protocols/protocol.ts';

/** A part of the schema: which records have these members. */
export interface SchemaSection {
  readonly title: string;
  readonly about: string;
  readonly fields: FieldTable;
  /** Whether `--where` goes over these members. */
  readonly filtered: boolean;
}

/** What stands in the JSON, and what `--where` takes it for. */
const TYPES: { readonly [type in FieldType]: string } = {
  string: 'string',
  int: 'number',
  bool: 'true or false',
  duration: 'number, ns',
  timestamp: 'string',
  list: 'array',
  map: 'object',
};

/** The tables of docs/json.md, in Markdown: every member by its path, what the JSON holds, its type in `--where`. */
export function schemaMarkdown(sections: readonly SchemaSection[]): string {
  return sections
    .map(({ title, about, fields, filtered }) => {
      const head = filtered
        ? ['| member | JSON | `--where` | |', '|---|---|---|---|']
        : ['| member | JSON | |', '|---|---|---|'];
      const rows = Object.entries(fields).map(([path, { type, about: words }]) =>
        [`| \`${path}\``, TYPES[type], ...(filtered ? [type] : []), `${cell(words)} |`].join(' | '),
      );
      return [`## ${title}`, '', about, '', ...head, ...rows, ''].join('\n');
    })
    .join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
