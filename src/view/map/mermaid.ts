import { sanitise } from '../sanitise.ts';
import { edgeTexts } from './call-text.ts';
import type { CallGraph } from './graph.ts';

/** The map as a flowchart of Mermaid (mermaid.js.org/syntax/flowchart.html). @param titleOf a protocol's name for people */
export function mermaidLines({ nodes, edges }: CallGraph, titleOf: (protocol: string) => string): string[] {
  const ids = new Map(nodes.map((name, index) => [name, `n${index}`]));
  const failing = edges.flatMap(({ failed }, index) => (failed > 0 ? [index] : []));
  return [
    'flowchart LR',
    ...nodes.map((name) => `  ${ids.get(name)}["${escaped(name)}"]`),
    ...edges.map((edge) => {
      const label = edgeTexts(edge, titleOf).map(escaped).join('<br/>');
      return `  ${ids.get(edge.client)} -->|"${label}"| ${ids.get(edge.service)}`;
    }),
    ...(failing.length === 0 ? [] : [`  linkStyle ${failing.join(',')} stroke:red,color:red`]),
  ];
}

/** Everything that Mermaid, Markdown or HTML might interpret, as Mermaid's character code: `#35;`. */
function escaped(text: string): string {
  return sanitise(text).replace(/[^\p{L}\p{N} ./:,()%-]/gu, (character) => `#${character.codePointAt(0)};`);
}
