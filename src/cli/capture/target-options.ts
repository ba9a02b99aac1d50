import type { TargetQuery } from '../../capture/targets/target-find.ts';
import type { TargetRef } from '../../capture/targets/target-words.ts';
import { usage } from '../usage.ts';

/** The flags that choose targets, as commander hands them over. */
export interface RawTargetOptions {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly node?: string;
  readonly backendsOnly?: boolean;
  readonly controllerOnly?: boolean;
  readonly maxTargets?: string;
  readonly clients?: boolean;
  /** `--no-follow` makes it false. */
  readonly follow?: boolean;
}

/** Which targets, complete and validated. */
export interface TargetOptions {
  /** As typed, comma-separated; undefined: the context's. */
  readonly namespace: string | undefined;
  readonly allNamespaces: boolean;
  readonly selector: string | undefined;
  readonly fieldSelector: string | undefined;
  readonly nodes: readonly string[];
  readonly sides: TargetQuery['sides'];
  readonly maxTargets: number;
  readonly follow: boolean;
  /** Pods that are seen speaking to the targets are captured as well. */
  readonly clients: boolean;
}

/**
 * Complete the flags that choose targets.
 * @param maximum what --max-targets is when it is not said
 * @throws KsnoopError USAGE (exit 2)
 */
export function completeTargets(raw: RawTargetOptions, local: boolean, maximum: number): TargetOptions {
  if (raw.allNamespaces && raw.namespace !== undefined) throw usage('-A and -n exclude each other.');
  if (raw.backendsOnly && raw.controllerOnly) throw usage('--backends-only and --controller-only exclude each other.');
  if (local) {
    const alien = (['allNamespaces', 'selector', 'fieldSelector', 'node', 'clients'] as const).find(
      (key) => raw[key] !== undefined,
    );
    if (alien !== undefined) throw usage(`--local asks no cluster, so ${FLAGS[alien]} has no meaning with it.`);
  }
  for (const [flag, value] of [
    ['-l', raw.selector],
    ['--field-selector', raw.fieldSelector],
    ['-n', raw.namespace],
    ['--node', raw.node],
  ]) {
    if (value !== undefined && list(value).length === 0) throw usage(`${flag} takes a value.`);
  }
  return {
    namespace: raw.namespace,
    allNamespaces: raw.allNamespaces === true,
    selector: raw.selector,
    fieldSelector: raw.fieldSelector,
    nodes: list(raw.node ?? ''),
    sides: { backends: raw.controllerOnly !== true, controller: raw.backendsOnly !== true },
    maxTargets: raw.maxTargets === undefined ? maximum : boundOf(raw.maxTargets),
    follow: raw.follow !== false,
    clients: raw.clients === true,
  };
}

const FLAGS = {
  allNamespaces: '-A',
  selector: '-l',
  fieldSelector: '--field-selector',
  node: '--node',
  clients: '--clients',
} as const;

/** Whether something besides names says which objects are meant: then a kind alone, or nothing at all, is enough. */
export function isSelecting({ selector, fieldSelector, nodes, allNamespaces }: TargetOptions): boolean {
  return selector !== undefined || fieldSelector !== undefined || nodes.length > 0 || allNamespaces;
}

/** @param home the context's namespace */
export function targetQuery(options: TargetOptions, refs: readonly TargetRef[], home: string): TargetQuery {
  return {
    refs,
    namespaces: options.allNamespaces ? undefined : [...new Set(list(options.namespace ?? home))],
    labelSelector: options.selector,
    fieldSelector: options.fieldSelector,
    nodes: options.nodes,
    sides: options.sides,
  };
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function boundOf(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw usage(`--max-targets takes a whole number from 1 to 99999, not "${text}".`);
}
