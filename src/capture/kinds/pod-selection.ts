import type { Selectors } from '../kube/api.ts';
import type { PodView } from '../kube/pod.ts';
import type { LabelSelector } from './label-selector.ts';

/** An object that pods must descend from, directly or through others it owns. */
export interface Ancestor {
  readonly uid: string;
  readonly kind: string;
  readonly name: string;
}

/** Pods of one namespace, or of all, by everything that must hold of them: what is left out holds of any. */
export interface PodSelection {
  /** Undefined: all namespaces. */
  readonly namespace: string | undefined;
  readonly labels?: LabelSelector | undefined;
  /** As kubectl's `--field-selector`; the API server alone applies it. */
  readonly fieldSelector?: string | undefined;
  readonly names?: readonly string[];
  readonly fitsName?: (name: string) => boolean;
  /** One of the pod's addresses is among these. */
  readonly addresses?: readonly string[];
  readonly owner?: Ancestor;
  /** The labels select others' pods too, so that without knowing its owner a pod is not taken. */
  readonly broad?: boolean;
  /** On one of these nodes. */
  readonly nodes?: readonly string[];
  /** The pods themselves, where the search for them has them already. */
  readonly known?: readonly PodView[];
  /** The objects that lead here, outermost first: `ingress/shop`, `service/web`. */
  readonly via: readonly string[];
  /** A pod that the user named itself: an error when it cannot be captured, where others are passed over. */
  readonly named?: boolean;
  /** No other pod can ever be selected: a pod by its name that no controller recreates. */
  readonly final?: boolean;
}

/** What the API server can narrow a list or watch to. */
export function serverSide(selection: PodSelection): Selectors {
  const fields = [
    ...(selection.fieldSelector ? [selection.fieldSelector] : []),
    ...(selection.names?.length === 1 ? [`metadata.name=${selection.names[0]}`] : []),
    ...(selection.nodes?.length === 1 ? [`spec.nodeName=${selection.nodes[0]}`] : []),
    ...(selection.addresses?.length === 1 ? [`status.podIP=${selection.addresses[0]}`] : []),
  ];
  return { labelSelector: selection.labels?.text, fieldSelector: fields.length === 0 ? undefined : fields.join(',') };
}

/** Whether `fits` decides everything that the API server would. */
export function isLocal({ labels, fieldSelector }: PodSelection): boolean {
  return (labels === undefined || labels.local) && fieldSelector === undefined;
}

/** Everything that can be decided from the pod alone; its owners are checked elsewhere (targets/owners.ts). */
export function fits(selection: PodSelection, pod: PodView): boolean {
  const { namespace, labels, names, fitsName, addresses, nodes } = selection;
  return (
    (namespace === undefined || pod.namespace === namespace) &&
    (labels === undefined || labels.matches(pod.labels)) &&
    (names === undefined || names.includes(pod.name)) &&
    (fitsName === undefined || fitsName(pod.name)) &&
    (nodes === undefined || nodes.includes(pod.nodeName)) &&
    (addresses === undefined || pod.podIPs.some((ip) => addresses.includes(ip)))
  );
}
