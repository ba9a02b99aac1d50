import { describe, expect, it } from 'vitest';
import { ColumnLines, ColumnRows, parseColumns } from '../../../src/view/select/columns.ts';
import { jsonPathText, parseJsonPath } from '../../../src/view/select/jsonpath.ts';
import { parsePath, valuesAt } from '../../../src/view/select/path.ts';
import { parseTemplate, templateText } from '../../../src/view/select/template.ts';

const RECORD = {
  src: { pod: 'client-1', ip: '10.244.1.9' },
  dst: { ip: '10.244.1.5' },
  failed: true,
  latency: 1_200_000,
  label: 'evil\x1b[2J\u202e',
  http: { path: '/cart', requestHeaders: { 'x-request-id': 'r-1', 'a.b': 'dot' } },
  hops: [{ latency: 1 }, { latency: 2 }],
};

/** The result of parsing, where the text is right. */
function right<Value extends object>(found: Value | { readonly wrong: string }): Value {
  if ('wrong' in found) throw new Error(`not understood: ${found.wrong}`);
  return found;
}

describe('a path', () => {
  it.each([
    ['.src.pod', ['client-1']],
    ['$.src.pod', ['client-1']],
    [".http.requestHeaders['x-request-id']", ['r-1']],
    ['.http.requestHeaders["a.b"]', ['dot']],
    ['.http.requestHeaders.x-request-id', ['r-1']],
    ['.hops[0].latency', [1]],
    ['.hops[-1].latency', [2]],
    ['.hops[*].latency', [1, 2]],
    ['.src.*', ['client-1', '10.244.1.9']],
    ['.src.nothing', []],
    ['.nothing.at.all', []],
    ['.src.pod.length', []],
    // Members of JavaScript are none of the record.
    ['.constructor', []],
    ['.__proto__.toString', []],
    ['.hops.length', [2]],
    ['@.src.pod', ['client-1']],
    ['.hops[0:1].latency', [1]],
    ['.hops[1:].latency', [2]],
    ['.hops[:-1].latency', [1]],
    [".src['ip','pod','nothing']", ['10.244.1.9', 'client-1']],
    ['.hops[?(@.latency>1)].latency', [2]],
    ['.hops[?(@.latency != 2)].latency', [1]],
    ['.hops[?(@.latency=="1")]', []],
    ['.hops[?(@.nothing)]', []],
    ['.hops[?(@.latency)].latency', [1, 2]],
    ['.src[?(@.pod)]', []],
  ])('%s is found', (text, values) => {
    expect(valuesAt(RECORD, parsePath(text) ?? [])).toEqual(values);
  });

  it.each([
    'src',
    '.',
    '..pod',
    '.hops[?(@.latency>1 && 1)]',
    '.hops[?(1)]',
    '.hops[0:1:2]',
    '.a[',
    '.a]',
    '.a b',
    `.a${'.b'.repeat(20)}`,
  ])('%s is refused, or the record itself', (text) => {
    expect(parsePath(text)).toEqual(text === '.' ? [] : undefined);
  });
});

describe('custom columns', () => {
  it('stand below their titles and say where a member is not there', () => {
    const lines = new ColumnLines(right(parseColumns('CLIENT:{.src.pod},SERVER:dst.pod,LABEL:.label')) as never);
    expect([lines.head(), lines.line(RECORD), lines.line({ ...RECORD, src: { pod: 'c' } })]).toEqual([
      'CLIENT   SERVER   LABEL',
      'client-1   <none>   evil\\x1b[2J\\u202e',
      'c          <none>   evil\\x1b[2J\\u202e',
    ]);
  });

  const rowsOf = (holds: boolean, count: number) => {
    const printed: string[] = [];
    const rows = new ColumnRows(right(parseColumns('C:.a,D:.b')) as never, holds, (line) => printed.push(line));
    for (let index = 0; index < count; index += 1) rows.row({ a: 'x'.repeat(1 + index), b: 1 });
    const before = printed.length;
    rows.end();
    return { printed, before };
  };

  it('are as wide as the widest value of all rows, the heading as well', () => {
    expect(rowsOf(true, 3)).toEqual({ printed: ['C     D', 'x     1', 'xx    1', 'xxx   1'], before: 0 });
    expect(rowsOf(true, 0).printed).toEqual([]);
  });

  it('grow where rows may not wait', () => {
    expect(rowsOf(false, 3)).toEqual({ printed: ['C   D', 'x   1', 'xx   1', 'xxx   1'], before: 4 });
  });

  it('hold a bounded number of rows and characters, and a long value does not make every row as long', () => {
    const { printed, before } = rowsOf(true, 4000);
    expect(printed).toHaveLength(4001);
    expect(before).toBeGreaterThan(2000);
    expect(printed[0]).toHaveLength(400 + 3 + 1);
    expect(printed.at(-1)).toHaveLength(4000 + 3 + 1);
  });

  it.each(['', 'A', 'A:', ':.a', 'A:.a,', 'A:.a,B:..b'])('%s is refused', (text) => {
    expect(parseColumns(text)).toHaveProperty('wrong');
  });
});

describe('a template of JSONPath', () => {
  it.each([
    ['{.src.pod}{"\\t"}{.http.path}{"\\n"}', 'client-1\t/cart\n'],
    ['pod={.src.pod} {.nothing}.', 'pod=client-1 .'],
    ['{.hops[*].latency}', '1 2'],
    ['{.src}', '{"pod":"client-1","ip":"10.244.1.9"}'],
    ['.src.pod', 'client-1'],
    ['{"a{b}c"}', 'a{b}c'],
    ['{range .hops[*]}{.latency};{end}{@.src.pod}', '1;2;client-1'],
    ['{range .hops[?(@.latency==2)]}{range @}{.latency}{end}{end}.', '2.'],
    ['{range .nothing[*]}x{end}', ''],
    ['{.label}', 'evil\\x1b[2J\\u202e'],
  ])('%s', (text, line) => {
    expect(jsonPathText(right(parseJsonPath(text)), RECORD)).toBe(line);
  });

  it.each(['{src}', '{.a', '{}', '{range .hops[*]}x', '{end}', '{range}x{end}', '{.hops[?(@.a b)]}', '}'])(
    '%s is refused',
    (text) => {
      expect(parseJsonPath(text)).toHaveProperty('wrong');
    },
  );
});

describe('a Go template', () => {
  it.each([
    ['{{.src.pod}} {{.http.path}}', 'client-1 /cart'],
    ['{{ .src.pod }}{{"\\t"}}x', 'client-1\tx'],
    ['{{or .dst.pod .dst.ip}}', '10.244.1.5'],
    ['{{range .hops}}{{.latency}} {{end}}', '1 2 '],
    ['{{range .hops}}{{if .latency}}{{$.src.pod}}{{end}}{{end}}', 'client-1client-1'],
    ['{{range .nothing}}x{{else}}none{{end}}', 'none'],
    ['{{range .src.pod}}x{{else}}none{{end}}', 'none'],
    ['{{with .src}}{{.pod}}{{end}}{{with .nothing}}x{{end}}', 'client-1'],
    ['{{/* what "it" is */}}x{{len .hops}}', 'x2'],
    ['{{or .dst.pod "nobody"}}', 'nobody'],
    ['{{.dst.pod}}', '<no value>'],
    ['{{json .src}}', '{"pod":"client-1","ip":"10.244.1.9"}'],
    ['{{json .src.pod}}', '"client-1"'],
    ['{{if .failed}}bad{{else}}good{{end}}', 'bad'],
    ['{{if .dst.pod}}a{{if .failed}}b{{end}}{{else}}c{{if .failed}}d{{end}}{{end}}', 'cd'],
    ['a {{- .src.pod -}} b', 'aclient-1b'],
    ['{{if eq .src.pod "a" "client-1"}}x{{else}}y{{end}}{{if ne .src.pod "client-1"}}x{{else}}y{{end}}', 'xy'],
    ['{{range .hops}}{{if eq .latency 2}}two{{end}}{{end}}', 'two'],
    ['{{if eq .failed true}}bad{{end}}{{if not .failed}}good{{end}}{{if not .nothing}}none{{end}}', 'badnone'],
    ['{{if eq .nothing .nothing}}x{{end}}{{if eq .src .src}}x{{end}}', ''],
    ['{{.label}}', 'evil\\x1b[2J\\u202e'],
  ])('%s', (text, line) => {
    expect(templateText(right(parseTemplate(text)), RECORD)).toBe(line);
  });

  it.each([
    '{{.a',
    '}}',
    '{{}}',
    '{{src}}',
    '{{.a | printf}}',
    '{{if .a}}',
    '{{end}}',
    '{{else}}',
    '{{if}}x{{end}}',
    '{{range .a}}',
    '{{if eq .a}}x{{end}}',
    '{{if not .a .b}}x{{end}}',
    '{{if ne .a .b .c}}x{{end}}',
    '{{range eq .a .b}}x{{end}}',
    '{{if eq .a x}}x{{end}}',
    '{{template "a"}}',
    '{{if .a}}'.repeat(20) + '{{end}}'.repeat(20),
  ])('%s is refused', (text) => {
    expect(parseTemplate(text)).toHaveProperty('wrong');
  });
});

it('takes hostile templates in linear time', () => {
  for (const piece of ['{', '{{', '{"', '.a', '[', '"\\', '{{if .a}}', 'a:', '{{- ']) {
    const text = piece.repeat(20_000);
    parseJsonPath(text);
    parseTemplate(text);
    parseColumns(text);
    parsePath(text);
  }
});
