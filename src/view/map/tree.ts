import type { Colours } from '../colour.ts';
import { sanitise } from '../sanitise.ts';
import { edgeTexts } from './call-text.ts';
import type { CallGraph, Edge } from './graph.ts';

/** Calls of calls that are followed; deeper ones have a tree of their own. */
const DEPTH_MAXIMUM = 32;

/**
 * Who calls whom as a tree: below each client the servers it calls, below those what they call. Each node is expanded once;
 * where it comes again it has the mark `(see above)`.
 * @param titleOf a protocol's name for people, sanitised
 */
export function callTree(graph: CallGraph, colours: Colours, titleOf: (protocol: string) => string): string[] {
  const calls = new Map<string, Edge[]>();
  const called = new Set<string>();
  for (const edge of graph.edges) {
    calls.set(edge.client, [...(calls.get(edge.client) ?? []), edge]);
    if (edge.client !== edge.service) called.add(edge.service);
  }
  const lines: string[] = [];
  const expanded = new Set<string>();
  const below = (name: string, indent: string, depth: number) => {
    expanded.add(name);
    const edges = calls.get(name) ?? [];
    for (const [index, edge] of edges.entries()) {
      const isLast = index === edges.length - 1;
      const isRepeated = calls.has(edge.service) && (expanded.has(edge.service) || depth >= DEPTH_MAXIMUM);
      const texts = edgeTexts(edge, titleOf).join('; ');
      const where = edge.service === name ? '(itself)' : '(see above)';
      const mark = isRepeated ? ` ${colours.aside(where)}` : '';
      const text = edge.failed > 0 ? colours.failure(texts) : texts;
      lines.push(`${indent}${isLast ? '└─' : '├─'} ${sanitise(edge.service)}${mark}  ${text}`);
      if (!isRepeated && calls.has(edge.service)) below(edge.service, indent + (isLast ? '   ' : '│  '), depth + 1);
    }
  };
  // Nodes without callers come first; those that are left call each other in a circle.
  const clients = graph.nodes.filter((name) => calls.has(name));
  for (const name of [...clients.filter((client) => !called.has(client)), ...clients]) {
    if (expanded.has(name)) continue;
    lines.push(colours.heading(sanitise(name)));
    below(name, '', 1);
  }
  return lines;
}
