import type { Topic } from './topic.ts';

export const outputs: Topic = {
  name: 'outputs',
  summary: 'output formats and destinations, exit codes',
  sections: [
    {
      title: 'Formats: -o',
      parts: [
        {
          terms: [
            [
              'pcapng',
              'packets, names of pods, Services and nodes, and loss counters; the default into a pipe or file',
            ],
            ['pcap', 'packets only, for old tools'],
            ['text', 'a line for each request with its response, and for each event; the default on a terminal'],
            ['json', 'the same, a JSON object on each line'],
            ['summary', 'totals: services, routes, errors, latencies, TCP; --json for programs'],
            ['summary-state=FILE', 'what the summary has counted, for ksnoop merge to add to others; docs/merging.md'],
            ['findings', 'what is wrong, each with its evidence and what to do next; --json for programs'],
            ['flows', 'a line for each flow with its TCP health; --json for programs'],
            [
              'trace',
              'a line for each request with its slowest hop; with -v all hops; trace=summary: only a table per route; --json for programs',
            ],
            [
              'html',
              'a report as one HTML page, for tickets: findings, map, timelines, tables, slowest and failed requests',
            ],
            [
              'map',
              'who calls whom, with rates, failures and latency; --format dot for Graphviz, mermaid for Markdown, json for programs',
            ],
            [
              'csv',
              'a table of the summary for spreadsheets: csv=services (default), pods, callers, routes, dns, tls, grpc or tcp',
            ],
            ['parquet=DIR', 'tables below a directory, for DuckDB, ClickHouse and others; docs/analytics.md'],
            ['har', 'HTTP exchanges as an HTTP Archive, for the developer tools of browsers'],
            ['curl', 'a curl command for each HTTP request, without its secrets and body'],
            ['state', "the kernel's counters and sockets during the capture; --json for programs"],
            [
              'custom-columns=NAME:.PATH,…',
              'columns of your choice, as kubectl: custom-columns=CLIENT:.src.pod,PATH:.http.path',
            ],
            ['jsonpath=TEMPLATE', 'a line of each record, as kubectl: \'{.src.pod}{"\\t"}{.http.path}\''],
            ['template=TEMPLATE', "the same as a Go template: '{{.src.pod}} {{.http.path}}'"],
            [
              'stream=FLOW',
              'one flow, both directions: HTTP heads and bodies, statements; stream=7,hex and stream=7,raw show its bytes, with --show-secrets. -o flows shows the numbers',
            ],
            ['packets', 'a line for each packet; --json for programs'],
          ],
        },
      ],
    },
    {
      title: 'Destinations',
      parts: [
        {
          terms: [
            ['-w FILE', 'a file that only you can read; --force overwrites an existing one'],
            ['| wireshark -k -i -', 'any program that reads pcapng'],
            ['--wireshark', 'start Wireshark'],
            ['ksnoop observe', 'metrics, spans and findings for OpenTelemetry and Prometheus; docs/opentelemetry.md'],
            ['ksnoop extcap install', "adds the cluster to Wireshark's list of interfaces"],
          ],
        },
        {
          text: 'stdout has only data. Progress, errors and the closing summary go to stderr. -q prints less, -v more.',
        },
      ],
    },
    {
      title: 'What was lost',
      parts: [
        {
          text: 'The closing summary always has five counts: packets captured, received, dropped by the kernel, dropped by ksnoop, and truncated. A pcapng file has the same counts in its statistics. GAP is a time without packets because a stream broke. With --strict, loss ends in exit code 5.',
        },
      ],
    },
    {
      title: 'Exit codes',
      parts: [
        {
          terms: [
            ['0', 'done'],
            ['1', 'runtime failure'],
            ['2', 'usage error or invalid filter'],
            ['3', 'no target matched'],
            ['4', 'partial: some targets failed, or there is a gap'],
            ['5', 'truncated input, or loss with --strict'],
            ['6', 'a finding or a difference that --fail-on names'],
          ],
        },
      ],
    },
  ],
};
