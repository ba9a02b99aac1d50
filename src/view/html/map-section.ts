import type { CallerStats } from '../../analyze/summary/report.ts';
import { edgeTexts } from '../map/call-text.ts';
import type { CallGraph, Edge } from '../map/graph.ts';
import { sanitise } from '../sanitise.ts';
import { cellWidth, cutMiddle, inLinesOfCells } from '../text-width.ts';
import { counted, grouped } from '../units.ts';
import { type Html, html } from './html.ts';
import { type Placed, type PlacedEdge, type PlacedNode, placed, type Size } from './map-layout.ts';
import { ROWS_MAXIMUM } from './table.ts';

/** With more texts than this on the drawing they would take more room than the lines: they are shown on hover and focus. */
const TEXTS_MAXIMUM = 40;
/** Lines that are drawn, and one for each node that would have none. */
const LINES_MAXIMUM = 200;
/** Protocols in the text of a line; its title has all. */
const PROTOCOLS_SHOWN = 3;
/** Width of the page, within its margins, at 1280 px; and of a part of the map on paper. */
const PAGE_WIDTH = 1248;
const PAPER_WIDTH = 760;
const NODE_LINE = 14;
const TEXT_LINE = 13;

/** Characters of a line in a node and in a text; the first that fits into the page is taken. */
const MEASURES = [
  { node: 26, text: 44 },
  { node: 22, text: 28 },
  { node: 18, text: 21 },
  { node: 16, text: 17 },
  { node: 13, text: 15 },
] as const;

/** Who sends kubelet's probes in a summary. */
const KUBELET = 'kubelet';

/** Callers without kubelet's probes that succeed: they go to every pod, and hide who else calls it. All where there is nothing else. */
export function drawnCallers(callers: readonly CallerStats[]): readonly CallerStats[] {
  const drawn = callers.filter(({ client, failed }) => client !== KUBELET || failed > 0);
  return drawn.length === 0 ? callers : drawn;
}

/**
 * Who calls whom as a drawing. Calls that fail are red and dashed. On paper a wide map is in parts.
 * @param titleOf a protocol's name for people
 * @param rows of all callers, drawn or not, as in the table Callers
 */
export function mapSection(graph: CallGraph, titleOf: (protocol: string) => string, rows: number): Html {
  if (graph.edges.length === 0) return html``;
  const edges = drawnEdges(graph);
  const hasText = textedEdges(edges);
  const linesOf = (edge: Edge, length: number) => textLines(edgeTexts(edge, titleOf), length);
  const place = ({ node, text }: (typeof MEASURES)[number]) => {
    const names = new Map(graph.nodes.map((name) => [name, nameLines(name, node)]));
    const texts = new Map(edges.map((edge) => [edge, linesOf(edge, text)]));
    const widest = Math.max(...[...names.values()].flat().map(cellWidth));
    const map = placed(
      { nodes: graph.nodes, edges },
      {
        node: (name) => ({
          width: Math.ceil(widest * 6.9) + 14,
          height: (names.get(name)?.length ?? 1) * NODE_LINE + 14,
        }),
        label: (edge) => (hasText.has(edge) ? textSize(texts.get(edge) ?? []) : { width: 0, height: 0 }),
      },
    );
    return { map, names, texts };
  };
  let drawn = place(MEASURES[0]);
  for (const measure of MEASURES.slice(1)) {
    if (drawn.map.width <= PAGE_WIDTH) break;
    drawn = place(measure);
  }
  const { map, names, texts } = drawn;
  const isHidden = hasText.size < edges.length;
  const left = graph.edges.length - edges.length;
  const label = `${counted(graph.edges.length, 'pair')} of caller and callee`;
  return html`
<section aria-labelledby="h-map"><h2 id="h-map">Who calls whom</h2>
<p class="dim">Callers are on the left. Red, dashed lines have failed calls. Probes of kubelet are drawn where they fail. ${isHidden ? 'Point at a line, or move to it with Tab, for its numbers. ' : ''}${left > 0 ? `${counted(left, 'other pair')} ${left === 1 ? 'is' : 'are'} not drawn. ` : ''}${rows > ROWS_MAXIMUM ? html`The table <a href="#callers">Callers</a> has ${grouped(ROWS_MAXIMUM)} of ${grouped(rows)} rows; -o summary --json has all.` : html`The table <a href="#callers">Callers</a> has all numbers.`}</p>
<div class="scroll map" tabindex="0" role="region" aria-label="Map of calls">
<svg width="${map.width}" height="${map.height}" viewBox="0 0 ${map.width} ${map.height}" role="${isHidden ? 'group' : 'img'}" aria-label="${label}"><g id="map-calls">
${map.edges.map((each) => edgeHtml(each, { lines: texts.get(each.edge) ?? [], isShown: hasText.has(each.edge), width: map.width }, titleOf))}
${map.nodes.map((node) => nodeHtml(node, names.get(node.name) ?? []))}
</g></svg></div>
${paperParts(map).map(({ start, end }) => html`<svg class="paper" width="${end - start}" height="${map.height}" viewBox="${start} 0 ${end - start} ${map.height}" aria-hidden="true"><use href="#map-calls"/></svg>\n`)}
</section>`;
}

/** The most important lines, those that fail first; every node has one. */
function drawnEdges({ edges }: CallGraph): readonly Edge[] {
  const ranked = [...edges.filter(({ failed }) => failed > 0), ...edges.filter(({ failed }) => failed === 0)];
  const seen = new Set<string>();
  const drawn = new Set(
    ranked.filter(({ client, service }, index) => {
      const isNew = !seen.has(client) || !seen.has(service);
      seen.add(client).add(service);
      return index < LINES_MAXIMUM || isNew;
    }),
  );
  return edges.filter((edge) => drawn.has(edge));
}

/** Edges that have their text on the drawing: all, or else those that fail, or else none. */
function textedEdges(edges: readonly Edge[]): ReadonlySet<Edge> {
  if (edges.length <= TEXTS_MAXIMUM) return new Set(edges);
  const failing = edges.filter(({ failed }) => failed > 0);
  return new Set(failing.length <= TEXTS_MAXIMUM ? failing : []);
}

/** A name in at most two lines, its middle left out where they are too short. */
function nameLines(name: string, length: number): string[] {
  const text = cutMiddle(sanitise(name), length * 2);
  if (cellWidth(text) <= length) return [text];
  for (let at = text.length - 1; at > 0; at -= 1) {
    if (!/[/.:\-_ ]/.test(text[at - 1] ?? '')) continue;
    const [first, second] = [text.slice(0, at), text.slice(at)];
    if (cellWidth(first) <= length && cellWidth(second) <= length) return [first, second];
  }
  const [first = '', ...rest] = inLinesOfCells(text, length);
  return [first, cutMiddle(rest.join(''), length)];
}

/** Texts of an edge in lines that end after a comma. */
function textLines(texts: readonly string[], length: number): string[] {
  const lines: string[] = [];
  for (const text of texts.slice(0, PROTOCOLS_SHOWN)) {
    let line = '';
    for (const part of text.split(/(?<=,) /)) {
      const longer = line === '' ? part : `${line} ${part}`;
      if (line !== '' && cellWidth(longer) > length) {
        lines.push(line);
        line = part;
      } else line = longer;
    }
    lines.push(line);
  }
  return texts.length > PROTOCOLS_SHOWN ? [...lines, '…'] : lines;
}

function textSize(lines: readonly string[]): Size {
  return { width: Math.ceil(Math.max(0, ...lines.map(cellWidth)) * 6.1) + 6, height: lines.length * TEXT_LINE + 2 };
}

/** Parts of a wide map for paper: they begin and end between columns. */
function paperParts({ cuts, width }: Placed): { readonly start: number; readonly end: number }[] {
  const parts: { start: number; end: number }[] = [];
  let [start, last] = [0, 0];
  for (const end of [...cuts, width]) {
    if (end - start > PAPER_WIDTH && last > start) {
      parts.push({ start, end: last });
      start = last;
    }
    last = end;
  }
  return [...parts, { start, end: width }];
}

function nodeHtml({ name, x, y, width, height }: PlacedNode, lines: readonly string[]): Html {
  const first = y - (lines.length * NODE_LINE) / 2 + 11;
  return html`<g class="node"><title>${name}</title><rect x="${x - width / 2}" y="${y - height / 2}" width="${width}" height="${height}" rx="5"/>
${lines.map((line, index) => html`<text x="${x}" y="${first + index * NODE_LINE}" text-anchor="middle">${line}</text>`)}</g>`;
}

interface EdgeText {
  readonly lines: readonly string[];
  /** It is on the drawing; else it is shown on hover and focus. */
  readonly isShown: boolean;
  /** Of the map. */
  readonly width: number;
}

function edgeHtml(
  { edge, path, label, end }: PlacedEdge,
  { lines, isShown, width }: EdgeText,
  titleOf: (protocol: string) => string,
): Html {
  const title = `${edge.client} → ${edge.service}: ${edgeTexts(edge, titleOf).join('; ')}`;
  const back = end.x + 9 * end.side;
  const size = textSize(lines);
  const x = Math.max(size.width / 2, Math.min(label.x, width - size.width / 2));
  const first = label.y - size.height / 2 + 11;
  const texts = html`<rect x="${x - size.width / 2}" y="${label.y - size.height / 2}" width="${size.width}" height="${size.height}"/>${lines.map((line, index) => html`<text x="${x}" y="${first + index * TEXT_LINE}" text-anchor="middle">${line}</text>`)}`;
  const kind = edge.failed > 0 ? 'edge fails' : 'edge';
  const inner = html`<title>${title}</title><path d="${path}"/><polygon class="tip" points="${end.x},${end.y} ${back},${end.y - 4} ${back},${end.y + 4}"/>`;
  return isShown
    ? html`<g class="${kind}">${inner}${texts}</g>\n`
    : html`<g class="${kind} quiet" tabindex="0" role="img" aria-label="${title}">${inner}<path class="hit" d="${path}"/><g class="more">${texts}</g></g>\n`;
}
