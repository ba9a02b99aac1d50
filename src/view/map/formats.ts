/** Forms of the map: a tree for people, a graph for Graphviz or Mermaid, JSON. */
export const MAP_FORMATS = ['tree', 'dot', 'mermaid', 'json'] as const;
export type MapFormat = (typeof MAP_FORMATS)[number];

export function isMapFormat(text: string | undefined): text is MapFormat {
  return MAP_FORMATS.some((format) => format === text);
}
