import type { CallerStats } from '../../analyze/summary/report.ts';
import { edgeTexts } from '../map/call-text.ts';
import type { CallGraph, Edge } from '../map/graph.ts';
import { sanitise } from '../sanitise.ts';
import { cutMiddle } from '../text-width.ts';
import { counted } from '../units.ts';
import { type Html, html } from './html.ts';
import { placed } from './map-layout.ts';

const NODE_WIDTH = 190;
const NODE_HEIGHT = 34;
const COLUMN_WIDTH = 430;
const ROW_HEIGHT = 64;
const MARGIN = 12;
/** Room for the text of a call that goes around the right side of the last column. */
const BEYOND_WIDTH = 280;
/** Characters of a name in a node. */
const NAME_LENGTH = 26;
/** With more edges than this only those that fail have their text on the drawing; all have it as their title. */
const TEXTS_MAXIMUM = 24;

/** Who sends kubelet's probes in a summary. */
const KUBELET = 'kubelet';

/** Callers without kubelet's probes that succeed: they go to every pod, and hide who else calls it. All where there is nothing else. */
export function drawnCallers(callers: readonly CallerStats[]): readonly CallerStats[] {
  const drawn = callers.filter(({ client, failed }) => client !== KUBELET || failed > 0);
  return drawn.length === 0 ? callers : drawn;
}

/** Who calls whom as a drawing. Calls that fail are red and dashed. @param titleOf a protocol's name for people */
export function mapSection(graph: CallGraph, titleOf: (protocol: string) => string): Html {
  if (graph.edges.length === 0) return html``;
  const nodes = placed(graph);
  const columns = Math.max(...nodes.map(({ column }) => column)) + 1;
  const tallest = Math.max(...nodes.map(({ row }) => row)) + 1;
  const perColumn = Array.from(
    { length: columns },
    (_, column) => nodes.filter((node) => node.column === column).length,
  );
  const height = MARGIN * 2 + tallest * ROW_HEIGHT;
  const at = new Map(
    nodes.map(({ name, column, row }) => {
      const top = MARGIN + ((tallest - (perColumn[column] ?? 1)) * ROW_HEIGHT) / 2;
      return [name, { x: MARGIN + column * COLUMN_WIDTH, y: top + row * ROW_HEIGHT + (ROW_HEIGHT - NODE_HEIGHT) / 2 }];
    }),
  );
  const isSparse = graph.edges.length <= TEXTS_MAXIMUM;
  // Texts of calls that go around the right side stand behind the last column.
  const isBeyond = graph.edges.some(({ client, service, failed }) => {
    const [from, to] = [at.get(client)?.x ?? 0, at.get(service)?.x ?? 0];
    return (isSparse || failed > 0) && to <= from && from === MARGIN + (columns - 1) * COLUMN_WIDTH;
  });
  const width = MARGIN * 2 + (columns - 1) * COLUMN_WIDTH + NODE_WIDTH + (isBeyond ? BEYOND_WIDTH : 40);
  const edges = graph.edges.map((edge) => {
    const [from, to] = [at.get(edge.client), at.get(edge.service)];
    return from === undefined || to === undefined
      ? html``
      : edgeHtml({ edge, from, to, hasText: isSparse || edge.failed > 0 }, titleOf);
  });
  return html`
<section aria-labelledby="h-map"><h2 id="h-map">Who calls whom</h2>
<p class="dim">Callers are on the left. Red, dashed lines have failed calls. Probes of kubelet are drawn where they fail. The table <a href="#callers">Callers</a> has all numbers.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Map of calls">
<svg class="map" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${counted(graph.edges.length, 'pair')} of caller and callee">
${edges}
${nodes.map(({ name }) => nodeHtml(name, at.get(name) ?? { x: 0, y: 0 }))}
</svg></div>
</section>`;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function nodeHtml(name: string, { x, y }: Point): Html {
  return html`<g class="node"><title>${name}</title><rect x="${x}" y="${y}" width="${NODE_WIDTH}" height="${NODE_HEIGHT}" rx="5"/>
<text x="${x + NODE_WIDTH / 2}" y="${y + 22}" text-anchor="middle">${cutMiddle(sanitise(name), NAME_LENGTH)}</text></g>`;
}

interface DrawnEdge {
  readonly edge: Edge;
  readonly from: Point;
  readonly to: Point;
  readonly hasText: boolean;
}

function edgeHtml({ edge, from, to, hasText }: DrawnEdge, titleOf: (protocol: string) => string): Html {
  const texts = edgeTexts(edge, titleOf);
  const middle = NODE_HEIGHT / 2;
  const isForward = to.x > from.x;
  // A node that calls itself has a loop.
  const apart = to.x === from.x && to.y === from.y ? middle - 6 : 0;
  const start = { x: from.x + NODE_WIDTH, y: from.y + middle - apart };
  // Calls back, or within a column, go around the right side.
  const end = isForward ? { x: to.x, y: to.y + middle } : { x: to.x + NODE_WIDTH, y: to.y + middle + apart };
  const bend = isForward ? Math.max(60, (end.x - start.x) / 2) : 40;
  const [first, second] = [start.x + bend, isForward ? end.x - bend : end.x + bend];
  const sign = isForward ? -1 : 1;
  const tip = `${end.x},${end.y} ${end.x + 9 * sign},${end.y - 5} ${end.x + 9 * sign},${end.y + 5}`;
  const [x, y] = [(start.x + 3 * first + 3 * second + end.x) / 8, (start.y + end.y) / 2];
  const shown = texts.slice(0, 3);
  const [textX, textY, anchor] = isForward ? [x, y - 5, 'middle'] : [x + 8, y + 4, 'start'];
  return html`<g class="${edge.failed > 0 ? 'edge fails' : 'edge'}"><title>${edge.client} → ${edge.service}: ${texts.join('; ')}</title>
<path d="M${start.x} ${start.y}C${first} ${start.y} ${second} ${end.y} ${end.x} ${end.y}"/><polygon class="tip" points="${tip}"/>
${hasText ? shown.map((text, index) => html`<text x="${textX}" y="${textY - (shown.length - 1 - index) * 13}" text-anchor="${anchor}">${text}</text>`) : undefined}</g>`;
}
