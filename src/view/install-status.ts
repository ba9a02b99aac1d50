import type { Colours } from './colour.ts';
import { sanitise } from './sanitise.ts';
import { tableLines } from './table.ts';

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

const COLUMNS = [
  { title: 'NODE' },
  { title: 'POD' },
  { title: 'STATE' },
  { title: 'RESTARTS', right: true },
  { title: 'REASON' },
] as const;

/** The state of the agents: a headline, then a table of the nodes. Texts of containers and registries are sanitised. */
export function statusLines(status: StatusView, colours: Colours): string[] {
  const { context, ready, desired, namespace, image, version, trouble } = status;
  if (!status.installed) {
    return [sanitise(`ksnoop is not installed in context ${context}. Install it: ksnoop install --image IMAGE`)];
  }
  const lines = [
    `${ready} of ${desired} agents ready in context ${context}, namespace ${namespace}`,
    `image ${image}, installed by ksnoop ${version || '(unknown version)'}`,
    ...(trouble === '' ? [] : [`trouble: ${trouble}`]),
  ];
  const rows = status.nodes.map(({ node, pod, state, reason, restarts }) =>
    [node, pod, state, String(restarts), reason].map(sanitise),
  );
  return [...lines.map(sanitise), ...tableLines(COLUMNS, rows, undefined, colours)];
}
