import { sanitise } from '../sanitise.ts';
import { edgeTexts } from './call-text.ts';
import type { CallGraph } from './graph.ts';

/** The map in the language of Graphviz (graphviz.org/doc/info/lang.html). @param titleOf a protocol's name for people */
export function dotLines({ nodes, edges }: CallGraph, titleOf: (protocol: string) => string): string[] {
  const ids = new Map(nodes.map((name, index) => [name, `n${index}`]));
  return [
    'digraph calls {',
    '  rankdir=LR;',
    '  node [shape=box, fontname="sans-serif"];',
    '  edge [fontname="sans-serif", fontsize=10];',
    ...nodes.map((name) => `  ${ids.get(name)} [label=${quoted([name])}];`),
    ...edges.map((edge) => {
      const colour = edge.failed > 0 ? ', color=red, fontcolor=red' : '';
      const label = quoted(edgeTexts(edge, titleOf));
      return `  ${ids.get(edge.client)} -> ${ids.get(edge.service)} [label=${label}${colour}];`;
    }),
    '}',
  ];
}

/** A text of several lines as a quoted string; a backslash begins an escape there. */
function quoted(lines: readonly string[]): string {
  return `"${lines.map((line) => sanitise(line).replace(/["\\]/g, '\\$&')).join('\\n')}"`;
}
