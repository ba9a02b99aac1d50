import { CSV_TABLE_NAMES } from '../../view/csv-tables.ts';
import { MAP_FORMATS } from '../../view/map/formats.ts';
import { TRACE_FORMS } from '../../view/trace-forms.ts';
import type { AnalysisForm } from './form.ts';

/** Every form for what the analysis finds: a new one is a file here and an entry below. */
export const ANALYSIS_OUTPUTS: readonly AnalysisForm[] = [
  {
    name: 'text',
    about: 'one line per exchange or event; what is not decoded packet by packet',
    json: false,
    load: async () => (await import('./text.ts')).text,
  },
  {
    name: 'json',
    about: 'the same as JSON, an object a line',
    json: true,
    load: async () => (await import('./json.ts')).json,
  },
  {
    name: 'summary',
    about: 'tables by service, pod and route, DNS, TLS and the health of TCP',
    json: true,
    load: async () => (await import('./summary.ts')).summary,
  },
  {
    name: 'summary-state',
    about: 'what the summary has counted, for ksnoop merge to add to others: summary-state=FILE',
    json: false,
    argument: { name: 'FILE', required: false },
    load: async () => (await import('./summary-state.ts')).summaryState,
  },
  {
    name: 'findings',
    about: 'what is wrong, each with its evidence and what to do next',
    json: true,
    load: async () => (await import('./findings.ts')).findings,
  },
  {
    name: 'flows',
    about: 'one line per flow, with the health of TCP',
    json: true,
    load: async () => (await import('./flows.ts')).flows,
  },
  {
    name: 'trace',
    about:
      'one line per request of a client with its slowest hop; -v shows all hops; trace=summary: only a table per route',
    json: true,
    argument: { name: 'FORMAT', required: false, values: TRACE_FORMS },
    load: async () => (await import('./trace.ts')).trace,
  },
  {
    name: 'html',
    about: 'a report as one HTML page: findings, map, timelines, tables, slowest and failed requests',
    json: false,
    load: async () => (await import('./html.ts')).html,
  },
  {
    name: 'map',
    about: 'who calls whom: rates, failures and latency of each pair, as a tree, for Graphviz or for Mermaid',
    json: true,
    argument: { name: 'FORMAT', required: false, values: MAP_FORMATS },
    load: async () => (await import('./map.ts')).map,
  },
  {
    name: 'csv',
    about: 'a table of the summary for spreadsheets: csv=services, pods, callers, routes, dns, tls, grpc, tcp',
    json: false,
    argument: { name: 'TABLE', required: false, values: CSV_TABLE_NAMES },
    load: async () => (await import('./csv.ts')).csv,
  },
  {
    name: 'parquet',
    about: 'tables of exchanges, flows, packets and findings as Parquet files below a directory: parquet=DIR',
    json: false,
    argument: { name: 'DIR', required: true },
    load: async () => (await import('./parquet.ts')).parquet,
  },
  {
    name: 'har',
    about: 'HTTP exchanges as an HTTP Archive 1.2, for the developer tools of browsers',
    json: false,
    load: async () => (await import('./har.ts')).har,
  },
  {
    name: 'curl',
    about: 'a curl command for each HTTP request, without secrets',
    json: false,
    load: async () => (await import('./curl.ts')).curl,
  },
  {
    name: 'state',
    about: "the kernel's counters and sockets of the captured network namespaces",
    json: true,
    load: async () => (await import('./state.ts')).state,
  },
  {
    name: 'custom-columns',
    about: 'columns of your choice, as kubectl: custom-columns=CLIENT:.src.pod,PATH:.http.path',
    json: false,
    argument: { name: 'NAME:.PATH,…', required: true },
    load: async () => (await import('./selected.ts')).customColumns,
  },
  {
    name: 'jsonpath',
    about: 'a line of each record by a template, as kubectl: jsonpath={.src.pod} {.http.path}',
    json: false,
    argument: { name: 'TEMPLATE', required: true },
    load: async () => (await import('./selected.ts')).jsonpath,
  },
  {
    name: 'template',
    about: 'a line of each record by a Go template: template={{.src.pod}} {{.http.path}}',
    json: false,
    argument: { name: 'TEMPLATE', required: true },
    load: async () => (await import('./selected.ts')).template,
  },
  {
    name: 'stream',
    about: 'one flow, both directions: stream=7 decoded, stream=7,hex and stream=7,raw its bytes',
    json: false,
    argument: { name: 'FLOW', required: true },
    load: async () => (await import('./stream.ts')).stream,
  },
  {
    name: 'packets',
    about: 'one line per packet',
    json: true,
    load: async () => (await import('./packets.ts')).packets,
  },
];

if (new Set(ANALYSIS_OUTPUTS.map(({ name }) => name)).size < ANALYSIS_OUTPUTS.length) {
  throw new Error('two outputs have one name');
}

export const ANALYSIS_OUTPUT_NAMES = ANALYSIS_OUTPUTS.map(({ name }) => name);

export function analysisOutput(name: string): AnalysisForm | undefined {
  return ANALYSIS_OUTPUTS.find((kind) => kind.name === name);
}
