import type { JsonObject } from '../../wire/guard.ts';
import type { Selectors } from '../kube/api.ts';
import type { Discovery } from '../kube/discovery.ts';
import type { Kube } from '../kube/kube.ts';
import type { PodSelection } from './pod-selection.ts';

/** How the API calls the objects of a kind. */
export interface ResourceKind {
  /** `v1`, `apps/v1`: group and version. */
  readonly api: string;
  readonly plural: string;
  /** As in the `kind` of manifests and owner references. */
  readonly kind: string;
  readonly namespaced: boolean;
}

/** A kind of object that can be named as a target: how it is called, and how one becomes pods. */
export interface TargetKind extends ResourceKind {
  /** Its singular, as used in messages. */
  readonly name: string;
  /** Everything kubectl takes for it besides: plural and short names. */
  readonly aliases: readonly string[];
  /** Permissions it uses besides reading the object and listing pods. */
  readonly uses?: readonly KindPermission[];
  /**
   * Which pods one object of this kind stands for.
   * @throws KsnoopError when it stands for none by its nature, and whatever the API server refuses
   */
  select(object: JsonObject, context: ResolveContext): Resolution | Promise<Resolution>;
  /** Which pods all objects of a collection stand for; for kinds where the objects need not be read one by one. */
  selectAll?(collection: Narrowing): Resolution;
}

/** A permission that a kind uses to find its pods. */
export interface KindPermission {
  readonly verb: 'get' | 'list';
  readonly group: string;
  readonly resource: string;
  /** Where: the object's namespace, or all. */
  readonly where: 'namespace' | 'cluster';
  /** What is missing: `without it, …`. */
  readonly purpose: string;
}

/** Part of a collection: what a glob, `-l` and `--field-selector` leave of a namespace. */
export interface Narrowing extends Selectors {
  /** Undefined: all namespaces. */
  readonly namespace: string | undefined;
  readonly fits: (name: string) => boolean;
}

/** What a kind uses to select pods. */
export interface ResolveContext {
  readonly kube: Kube;
  readonly discovery: Discovery;
  readonly signal: AbortSignal;
  /** Of an Ingress or Gateway: the pods behind it, those of its controller, or both. */
  readonly sides: { readonly backends: boolean; readonly controller: boolean };
  /** Endpoints of a Service in other namespaces than its own are taken: whoever may write its EndpointSlices names them. */
  readonly crossNamespaces: boolean;
}

/** Objects whose change makes a selection stale. */
export interface Collection extends Selectors {
  readonly path: string;
}

/** A node whose host network namespace is a target. Its label is `node/NAME`. */
export interface FoundNode {
  readonly uid: string;
  readonly name: string;
}

/** What was found for an object: not yet pods, but what selects them now and from now on. */
export interface Resolution {
  readonly pods: readonly PodSelection[];
  readonly nodes?: readonly FoundNode[];
  /** Notes for the user: an endpoint that is not a pod, a controller that was not found. */
  readonly notes?: readonly string[];
  /** Besides the object itself. */
  readonly depends?: readonly Collection[];
}

/** Several finds as one. */
export function together(parts: readonly Resolution[]): Resolution {
  return {
    pods: parts.flatMap(({ pods }) => pods),
    nodes: parts.flatMap(({ nodes }) => nodes ?? []),
    notes: [...new Set(parts.flatMap(({ notes }) => notes ?? []))],
    depends: parts.flatMap(({ depends }) => depends ?? []),
  };
}

/** The same pods, found through one more object. */
export function through(via: string, selected: Resolution): Resolution {
  return { ...selected, pods: selected.pods.map((pods) => ({ ...pods, via: [via, ...pods.via] })) };
}
