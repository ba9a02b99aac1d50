/** What `ksnoop status` shows: the fields of src/capture/install that people read. */
export interface StatusView {
  readonly context: string;
  readonly namespace: string;
  readonly installed: boolean;
  readonly image: string;
  readonly version: string;
  readonly desired: number;
  readonly ready: number;
  readonly trouble: string;
  readonly nodes: readonly {
    readonly node: string;
    readonly pod: string;
    readonly state: string;
    readonly reason: string;
    readonly restarts: number;
  }[];
}

/** The state of the agents: a headline, then a table of the nodes. */
export function statusLines(status: StatusView): string[] {
  if (!status.installed) {
    return [`ksnoop is not installed in context ${status.context}. Install it: ksnoop install --image IMAGE`];
  }
  const headline = `${status.ready} of ${status.desired} agents ready in context ${status.context}, namespace ${status.namespace}`;
  const version = `image ${status.image}, installed by ksnoop ${status.version || '(unknown version)'}`;
  const rows = status.nodes.map(({ node, pod, state, reason, restarts }) => [
    node,
    pod,
    state,
    String(restarts),
    reason,
  ]);
  const trouble = status.trouble === '' ? [] : [`trouble: ${status.trouble}`];
  return [headline, version, ...trouble, ...table([['NODE', 'POD', 'STATE', 'RESTARTS', 'REASON'], ...rows])];
}

/** Columns as wide as their widest cell, two spaces between. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
