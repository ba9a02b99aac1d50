import { Colours } from './colour.ts';
import { sanitise } from './sanitise.ts';
import { type Cell, type Column, tableLines } from './table.ts';

/** What `--dry-run` shows: the fields of src/capture/plan/dry-run.ts that people read. */
export interface DryRunView {
  readonly context: string;
  readonly targets: readonly {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly node: string;
    readonly via: readonly string[];
    readonly owners: readonly string[];
    readonly addresses: readonly string[];
    readonly agent: string;
    readonly trouble: string;
  }[];
  readonly permissions: readonly {
    readonly verb: string;
    readonly group?: string;
    readonly resource: string;
    readonly namespace?: string;
    readonly purpose: string;
    readonly required: boolean;
    readonly allowed: boolean;
  }[];
  readonly growing: boolean;
}

type Target = DryRunView['targets'][number];

interface Branch {
  readonly name: string;
  readonly children: Map<string, Branch>;
  readonly target: Target | undefined;
}

const COLUMNS: readonly Column[] = [
  { title: 'NAMESPACE' },
  { title: 'TARGET' },
  { title: 'NODE' },
  { title: 'ADDRESS' },
  { title: 'AGENT', shrinks: 'end' },
];
const PERMISSIONS: readonly Column[] = [
  { title: 'ALLOWED' },
  { title: 'PERMISSION' },
  { title: 'NAMESPACE' },
  { title: 'FOR', shrinks: 'end' },
];

/**
 * What would be captured: a tree from the targets as named over the owners to pods and their nodes, then the permissions
 * that are used.
 * @param width of the terminal, undefined for any
 */
export function dryRunLines(run: DryRunView, width: number | undefined, colour: boolean): string[] {
  const colours = new Colours(colour);
  const root: Branch = { name: '', children: new Map(), target: undefined };
  const several = new Set(run.targets.map(({ namespace }) => namespace)).size > 1;
  for (const target of run.targets) plant(root, target, several);
  const rows = [...root.children.values()].flatMap((branch) => rowsOf(branch, '', '', colours));
  const allowed = run.permissions.map(({ verb, group, resource, namespace, purpose, required, allowed }): Cell[] => [
    allowed ? 'yes' : { text: required ? 'NO' : 'no', paint: (text) => colours.failure(text) },
    `${verb} ${resource}${group ? `.${group}` : ''}`,
    namespace ?? 'all',
    purpose,
  ]);
  const count = run.targets.length === 1 ? '1 target' : `${run.targets.length} targets`;
  const nodes = new Set(run.targets.map(({ node }) => node).filter((node) => node !== '')).size;
  const more = run.growing ? '; those that come later join' : '';
  return [
    ...(rows.length === 0 ? [] : [...tableLines(COLUMNS, rows, width, colours), '']),
    `${count} on ${nodes === 1 ? '1 node' : `${nodes} nodes`}${more}`,
    '',
    ...tableLines(PERMISSIONS, allowed, width, colours),
  ];
}

/** Put a target below everything that leads to it. What is called the same in two namespaces is not the same. */
function plant(root: Branch, target: Target, several: boolean): void {
  const { via, owners, kind, name, namespace } = target;
  const last = via.at(-1);
  const path = [...via, ...owners.slice(last === undefined ? 0 : owners.indexOf(last) + 1)];
  let at = root;
  for (const step of path) {
    const key = several && at === root ? `${namespace} ${step}` : step;
    const next = at.children.get(key) ?? { name: step, children: new Map(), target: undefined };
    at.children.set(key, next);
    at = next;
  }
  at.children.set(`${namespace} ${kind}/${name}`, { name: `${kind}/${name}`, children: new Map(), target });
}

/** @param lead what stands before the branch's own name, @param below what stands before its children's */
function rowsOf({ name, children, target }: Branch, lead: string, below: string, colours: Colours): Cell[][] {
  const trouble = target === undefined || target.trouble === '' ? (target?.agent ?? '') : target.trouble;
  const state: Cell = { text: sanitise(trouble), paint: (text) => (text === 'ready' ? text : colours.failure(text)) };
  const label = sanitise(`${lead}${name}`);
  const own: Cell[] =
    target === undefined
      ? ['', label, '', '', '']
      : [target.namespace, label, target.node, target.addresses.join(' '), state].map((cell) =>
          typeof cell === 'string' && cell !== label ? sanitise(cell) : cell,
        );
  const branches = [...children.values()];
  const rest = branches.flatMap((branch, index) => {
    const isLast = index === branches.length - 1;
    return rowsOf(branch, `${below}${isLast ? '└─ ' : '├─ '}`, `${below}${isLast ? '   ' : '│  '}`, colours);
  });
  return [own, ...rest];
}
