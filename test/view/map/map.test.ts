import { expect, it } from 'vitest';
import type { CallerStats } from '../../../src/analyze/summary/report.ts';
import { Colours } from '../../../src/view/colour.ts';
import { dotLines } from '../../../src/view/map/dot.ts';
import { callGraph } from '../../../src/view/map/graph.ts';
import { mermaidLines } from '../../../src/view/map/mermaid.ts';
import { callTree } from '../../../src/view/map/tree.ts';

function call(client: string, service: string, parts: Partial<CallerStats> = {}): CallerStats {
  const latency = { count: 10, p50: 1e6, p90: 2e6, p99: 13e6, max: 20e6, mean: 2e6 };
  const counts = { count: 10, rate: 5, failed: 0, requestBytes: 1, responseBytes: 2, latency };
  return { client, service, protocol: 'http', ...counts, ...parts };
}

const upper = (protocol: string) => protocol.toUpperCase();
const tree = (callers: CallerStats[], maximum?: number) =>
  callTree(callGraph({ callers }, maximum), new Colours(false), upper);

it('draws a tree of callers and what they call, each node expanded once', () => {
  const lines = tree([
    call('client', 'web', { count: 30, failed: 3 }),
    call('client', 'dns', { protocol: 'dns', rate: undefined, latency: undefined }),
    call('web', 'api', { count: 20 }),
    call('web', 'api', { protocol: 'tls', count: 2 }),
    call('batch', 'web', { count: 5 }),
  ]);
  expect(lines).toEqual([
    'client',
    '├─ web  HTTP 5/s, 3 failed (10 %), p99 13 ms',
    '│  └─ api  HTTP 5/s, p99 13 ms; TLS 5/s, p99 13 ms',
    '└─ dns  DNS 10 in all',
    'batch',
    '└─ web (see above)  HTTP 5/s, p99 13 ms',
  ]);
});

it('ends where calls go in a circle', () => {
  expect(tree([call('a', 'b'), call('b', 'a', { count: 2 }), call('c', 'c', { count: 1 })])).toEqual([
    'c',
    '└─ c (itself)  HTTP 5/s, p99 13 ms',
    'a',
    '└─ b  HTTP 5/s, p99 13 ms',
    '   └─ a (see above)  HTTP 5/s, p99 13 ms',
  ]);
});

it('puts the least frequent nodes together when there are too many', () => {
  const callers = Array.from({ length: 100 }, (_, index) => call(`client-${index}`, 'web', { count: 200 - index }));
  const { nodes, edges } = callGraph({ callers }, 10);
  expect(nodes).toHaveLength(10);
  expect(nodes.at(-1)).toBe('other');
  expect(edges).toHaveLength(9);
  expect(edges.reduce((sum, { count }) => sum + count, 0)).toBe(callers.reduce((sum, { count }) => sum + count, 0));
  // 92 clients, of which the percentiles cannot be added up.
  expect(tree(callers, 10).at(-1)).toBe('└─ web  HTTP 460/s');
});

it('adds up the calls of the node `other` by protocol', () => {
  const callers = Array.from({ length: 100 }, (_, index) => [
    call(`client-${index}`, `web-${index}`, { count: 300 - index, failed: index % 2, requestBytes: 3 }),
    call(`client-${index}`, `web-${index}`, { protocol: 'tcp', count: 1, rate: index === 99 ? undefined : 1 }),
  ]).flat();
  const { edges } = callGraph({ callers }, 11);
  const other = edges.find(({ client }) => client === 'other');
  expect(other?.calls).toEqual([
    call('other', 'other', {
      ...{ count: 95 * 248, rate: 475, failed: 48, requestBytes: 285, responseBytes: 190, latency: undefined },
    }),
    call('other', 'other', {
      ...{ protocol: 'tcp', count: 95, rate: undefined, requestBytes: 95, responseBytes: 190, latency: undefined },
    }),
  ]);
  expect(tree(callers, 11)).toContain('└─ other (itself)  HTTP 475/s, 48 failed (0.2 %); TCP 95 in all');
});

it('names four protocols of an edge and counts the calls of the others', () => {
  const callers = ['http', 'dns', 'tls', 'redis', 'mysql', 'kafka'].map((protocol) => call('a', 'b', { protocol }));
  expect(tree(callers).at(-1)).toMatch(/REDIS 5\/s, p99 13 ms; 20 more$/);
});

const HOSTILE = 'a"b\\c\x1b[31m]<script>|#&{}\u202e`';

it('escapes names for Graphviz', () => {
  expect(dotLines(callGraph({ callers: [call(HOSTILE, 'web', { failed: 1 })] }), upper)).toEqual([
    'digraph calls {',
    '  rankdir=LR;',
    '  node [shape=box, fontname="sans-serif"];',
    '  edge [fontname="sans-serif", fontsize=10];',
    '  n0 [label="a\\"b\\\\c\\\\x1b[31m]<script>|#&{}\\\\u202e`"];',
    '  n1 [label="web"];',
    '  n0 -> n1 [label="HTTP 5/s, 1 failed (10 %), p99 13 ms", color=red, fontcolor=red];',
    '}',
  ]);
});

it('escapes names for Mermaid', () => {
  const lines = mermaidLines(callGraph({ callers: [call(HOSTILE, 'web', { failed: 1 })] }), upper);
  expect(lines[1]).toMatch(/^ {2}n0\["[\p{L}\p{N} ./:,()%#;-]+"\]$/u);
  expect(lines.slice(2)).toEqual([
    '  n1["web"]',
    '  n0 -->|"HTTP 5/s, 1 failed (10 %), p99 13 ms"| n1',
    '  linkStyle 0 stroke:red,color:red',
  ]);
});
