import type { Colours } from './colour.ts';
import { sanitise } from './sanitise.ts';
import { tableLines } from './table.ts';
import { byteSize, counted } from './units.ts';

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
    readonly usage?: { readonly cpuMillis: number; readonly memoryBytes: number } | undefined;
  }[];
  readonly resources?: Resources | undefined;
  readonly captures?: CapturesView | undefined;
  readonly observe?: ObserveView | undefined;
}

interface ObserveView {
  readonly targets: readonly string[];
  readonly namespaces: readonly string[] | undefined;
  readonly available: boolean;
  readonly restarts: number;
  readonly reason: string;
}

interface CapturesView {
  readonly desired: number;
  readonly ready: number;
  readonly reason: string;
  readonly missing: readonly string[];
}

interface Resources {
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}

const USAGE_COLUMNS = [
  { title: 'CPU', right: true },
  { title: 'MEMORY', right: true },
] as const;

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
  if (status.resources !== undefined) lines.push(allowance(status.resources));
  if (status.captures !== undefined) lines.push(capturesLine(status.captures));
  if (status.observe !== undefined) lines.push(observeLine(status.observe));
  const isMeasured = status.nodes.some(({ usage }) => usage !== undefined);
  const [node, pod, state, restarts, reason] = COLUMNS;
  const columns = isMeasured ? [node, pod, state, restarts, ...USAGE_COLUMNS, reason] : COLUMNS;
  const rows = status.nodes.map((row) =>
    [row.node, row.pod, row.state, String(row.restarts), ...(isMeasured ? usageCells(row.usage) : []), row.reason].map(
      sanitise,
    ),
  );
  return [...lines.map(sanitise), ...tableLines(columns, rows, undefined, colours)];
}

/** `Captures of tenants: 2 of 2 controllers ready` */
function capturesLine({ desired, ready, reason, missing }: CapturesView): string {
  const trouble = [...(reason === '' ? [] : [reason]), ...missing.map((name) => `${name} is missing`)];
  return [`Captures of tenants: ${ready} of ${desired} controllers ready`, ...trouble].join('; ');
}

/** `observing svc/web in shop: running, 1 restart` */
function observeLine({ targets, namespaces, available, restarts, reason }: ObserveView): string {
  const where = namespaces === undefined ? 'all namespaces' : namespaces.join(', ');
  const state = [available ? 'running' : 'not running', ...(restarts === 0 ? [] : [counted(restarts, 'restart')])];
  return [`observing ${targets.join(' ')} in ${where}: ${state.join(', ')}`, ...(reason === '' ? [] : [reason])].join(
    '; ',
  );
}

/** `each agent: CPU 10m requested, no limit; memory 48Mi requested, 512Mi at most` */
function allowance({ requests, limits }: Resources): string {
  const words = (['cpu', 'memory'] as const).map((name) => {
    const requested = requests[name] === undefined ? 'nothing requested' : `${requests[name]} requested`;
    const most = limits[name] === undefined ? 'no limit' : `${limits[name]} at most`;
    return `${name === 'cpu' ? 'CPU' : name} ${requested}, ${most}`;
  });
  return `each agent: ${words.join('; ')}`;
}

function usageCells(usage: StatusView['nodes'][number]['usage']): string[] {
  return usage === undefined ? ['', ''] : [`${usage.cpuMillis}m`, byteSize(usage.memoryBytes)];
}
