import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { ColumnRows, parseColumns } from '../../view/select/columns.ts';
import { jsonPathText, parseJsonPath } from '../../view/select/jsonpath.ts';
import { parseTemplate, templateText } from '../../view/select/template.ts';
import { KsnoopError } from '../../wire/errors.ts';

/** Makes a line of a record. */
interface Lines {
  line(record: unknown): string;
}

/** Columns that the user chose (docs/exports.md). */
export const customColumns: AnalysisOutputKind = {
  detail: true,
  packets: false,
  create: ({ session, line, live, argument = '' }) => {
    const columns = parsed(parseColumns(argument), 'custom-columns', 'CLIENT:.src.pod,PATH:.http.path');
    const rows = new ColumnRows(columns, live !== true, line);
    return {
      event: (event, flow) => rows.row(session.recorder.event(event, flow)),
      end: () => rows.end(),
    };
  },
};

/** A line of each record by a template of JSONPath. */
export const jsonpath = selected((argument) => {
  const parts = parsed(parseJsonPath(argument), 'jsonpath', '{.src.pod}{"\\t"}{.http.path}');
  return { line: (record) => jsonPathText(parts, record) };
});

/** A line of each record by a template of Go. */
export const template = selected((argument) => {
  const nodes = parsed(parseTemplate(argument), 'template', '{{.src.pod}} {{.http.path}}');
  return { line: (record) => templateText(nodes, record) };
});

/** An output of exchanges, messages and events whose lines a template makes. */
function selected(linesOf: (argument: string) => Lines): AnalysisOutputKind {
  return {
    detail: true,
    packets: false,
    create: ({ session, line, argument = '' }) => {
      const lines = linesOf(argument);
      return {
        event: (event, flow) => {
          // kubectl's templates end with a line feed of their own; a line has one already.
          line(lines.line(session.recorder.event(event, flow)).replace(/\n$/, ''));
        },
      };
    },
  };
}

/** @throws KsnoopError USAGE (exit 2) that names the part that is wrong */
function parsed<Value extends object>(found: Value | { readonly wrong: string }, name: string, example: string): Value {
  if (!('wrong' in found)) return found;
  throw new KsnoopError('USAGE', `-o ${name} does not understand "${found.wrong}".`, {
    hint: `For example: -o ${name}='${example}'. It takes paths of members (ksnoop help fields); --where chooses records.`,
    exit: 2,
  });
}
