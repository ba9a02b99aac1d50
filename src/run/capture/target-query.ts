import type { TargetQuery } from '../../capture/targets/target-find.ts';
import type { TargetRef } from '../../capture/targets/target-words.ts';

/** Which objects are targets, besides their names. */
export interface TargetSelection {
  /** As typed, comma-separated; undefined: the context's. */
  readonly namespace: string | undefined;
  readonly allNamespaces: boolean;
  readonly selector: string | undefined;
  readonly fieldSelector: string | undefined;
  readonly nodes: readonly string[];
  readonly sides: TargetQuery['sides'];
  /** Also endpoints of a Service in other namespaces. */
  readonly crossNamespaces?: boolean;
  readonly maxTargets: number;
  /** Pods that appear later join the capture. */
  readonly follow: boolean;
  /** Pods that are seen speaking to the targets are captured as well. */
  readonly clients: boolean;
  /** Services and pods that the targets are seen calling are captured as well, this many calls away; 0 unless set. */
  readonly depth?: number;
  /** The nodes' own interfaces are captured as well, of the nodes that the captured pods are on. */
  readonly ownNodes?: boolean;
}

/** Whether something besides names selects objects: then a kind alone, or nothing at all, is enough. */
export function isSelecting({ selector, fieldSelector, nodes, allNamespaces }: TargetSelection): boolean {
  return selector !== undefined || fieldSelector !== undefined || nodes.length > 0 || allNamespaces;
}

/** @param home the context's namespace */
export function targetQuery(selection: TargetSelection, refs: readonly TargetRef[], home: string): TargetQuery {
  return {
    refs,
    namespaces: selection.allNamespaces ? undefined : [...new Set(commaList(selection.namespace ?? home))],
    labelSelector: selection.selector,
    fieldSelector: selection.fieldSelector,
    nodes: selection.nodes,
    sides: selection.sides,
    crossNamespaces: selection.crossNamespaces === true,
  };
}

/** The parts of a comma-separated list, without blanks. */
export function commaList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
