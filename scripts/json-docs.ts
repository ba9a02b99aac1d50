/** Writes the tables of docs/json.md anew: `node scripts/json-docs.ts`. A test says when they are out of date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { protocolFields } from '../src/analyze/protocols/all-fields.ts';
import { COMMON_FIELDS, EVENT_FIELDS, FLOW_FIELDS, PACKET_FIELDS } from '../src/analyze/record/fields.ts';
import { SUMMARY_FIELDS } from '../src/analyze/summary/report-fields.ts';
import { schemaMarkdown } from '../src/view/json-schema.ts';

export const JSON_DOCS = join(import.meta.dirname, '../docs/json.md');

const BEGIN = '<!-- tables: written by scripts/json-docs.ts -->\n';
const END = '<!-- end of tables -->\n';

/** The page with its tables as the sources have them. */
export function withTables(page: string): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error('docs/json.md has lost the marks of its tables');
  const protocols = protocolFields().map(({ title, records, fields }) => ({
    title: `Protocol: ${title}`,
    about: `Records whose \`protocol\` is ${records.map((name) => `\`${name}\``).join(' or ')}.`,
    fields,
    filtered: true,
  }));
  const tables = schemaMarkdown([
    { title: 'Every record', about: 'In this order, before all others.', fields: COMMON_FIELDS, filtered: true },
    {
      title: 'Exchanges, messages, events',
      about: 'In this order, then the protocol’s own.',
      fields: EVENT_FIELDS,
      filtered: true,
    },
    {
      title: 'Flows',
      about: 'Behind `flow` and `interface`, with `-o flows --json`.',
      fields: FLOW_FIELDS,
      filtered: true,
    },
    {
      title: 'Packets',
      about: 'Behind `interface` and `label`: of what no protocol took, and of every packet with `-o packets --json`.',
      fields: PACKET_FIELDS,
      filtered: true,
    },
    ...protocols,
    {
      title: 'Summary',
      about:
        'One document, with `-o summary --json`. Rows are sorted by their counts, and rows with the same count by their names.',
      fields: SUMMARY_FIELDS,
      filtered: false,
    },
  ]);
  return `${before}${BEGIN}\n${tables}\n${END}${after}`;
}

if (import.meta.main) writeFileSync(JSON_DOCS, withTables(readFileSync(JSON_DOCS, 'utf8')));
