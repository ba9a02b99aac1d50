import { EXIT, KsnoopError } from '../../wire/errors.ts';
import type { JsonObject } from '../../wire/guard.ts';
import { nearest } from '../../wire/near.ts';
import { customKind } from '../kinds/custom.ts';
import { targetKind } from '../kinds/index.ts';
import { type Collection, type Resolution, type ResolveContext, type TargetKind, together } from '../kinds/kind.ts';
import { objectName } from '../kinds/object.ts';
import { find, list, type Selectors } from '../kube/api.ts';
import { apiGroup, resourcePath } from '../kube/resource.ts';
import { isPattern, kindsHint, namePattern, type TargetRef } from './target-words.ts';

/** Everything that selects targets. */
export interface TargetQuery extends Selectors {
  readonly refs: readonly TargetRef[];
  /** Undefined: all namespaces. */
  readonly namespaces: readonly string[] | undefined;
  /** Pods on these nodes alone; of any when empty. */
  readonly nodes: readonly string[];
  readonly sides: ResolveContext['sides'];
  /** Left out: no. Of all namespaces there is no other one. */
  readonly crossNamespaces?: boolean;
}

/**
 * Resolves one target reference: reads its objects, and its kind determines which pods each of them selects.
 * @returns the selections, and the collections to watch for changes of them
 * @throws KsnoopError BAD_TARGET (exit 2) for an unknown kind, NO_SUCH_TARGET (exit 3) with near names, and
 * whatever the API server refuses
 */
export async function resolveRef(ref: TargetRef, query: TargetQuery, context: ResolveContext): Promise<Resolution> {
  const kind = targetKind(ref.kind) ?? (await discoveredKind(ref, context));
  const exact = !isPattern(ref.name);
  const selectors = selectorsOf(ref, query, exact);
  const pattern = namePattern(ref.name);
  const fits = (name: string) => (exact ? name === ref.name : pattern(name));
  const places = kind.namespaced ? (query.namespaces ?? [undefined]) : [undefined];
  const byName = exact && !narrowed(query) && !places.some((place) => kind.namespaced && place === undefined);
  if (!byName && kind.selectAll !== undefined) {
    const { selectAll } = kind;
    return together(places.map((namespace) => selectAll({ namespace, fits, ...selectors })));
  }
  const depends = places.map(
    (place): Collection => ({ path: resourcePath(kind.api, place, kind.plural), ...selectors }),
  );
  const objects = await Promise.all(
    places.map(async (place): Promise<readonly JsonObject[]> => {
      if (byName) {
        const object = await find(context.kube, resourcePath(kind.api, place, kind.plural, ref.name), context.signal);
        return object === undefined ? [] : [object];
      }
      const { items } = await list(context.kube, resourcePath(kind.api, place, kind.plural), selectors, context.signal);
      return items.filter((item) => fits(objectName(item).name));
    }),
  );
  const found = objects.flat();
  if (found.length === 0) throw await nothingFound(kind, ref, query, context);
  const selected = await Promise.all(found.map((object) => kind.select(object, context)));
  const parts = together(selected);
  // A pod is watched as a pod.
  return kind.name === 'pod' ? parts : { ...parts, depends: [...depends, ...(parts.depends ?? [])] };
}

function narrowed(query: TargetQuery): boolean {
  return query.labelSelector !== undefined || query.fieldSelector !== undefined;
}

function selectorsOf(ref: TargetRef, query: TargetQuery, exact: boolean): Selectors {
  const fields = [query.fieldSelector, exact ? `metadata.name=${ref.name}` : undefined].filter(Boolean);
  return { labelSelector: query.labelSelector, fieldSelector: fields.length === 0 ? undefined : fields.join(',') };
}

async function discoveredKind({ kind }: TargetRef, { discovery, signal }: ResolveContext): Promise<TargetKind> {
  const resource = await discovery.named(kind, signal);
  if (resource !== undefined) return customKind(resource);
  const names = (await discovery.resources(signal)).flatMap(({ plural, shortNames }) => [plural, ...shortNames]);
  const near = nearest(kind, names);
  const hint = near.length > 0 ? `Did you mean ${near.join(' or ')}?` : kindsHint();
  throw new KsnoopError('BAD_TARGET', `The cluster has no resource type "${kind}".`, {
    hint,
    exit: EXIT.usage,
  });
}

async function nothingFound(
  kind: TargetKind,
  ref: TargetRef,
  query: TargetQuery,
  context: ResolveContext,
): Promise<KsnoopError> {
  const where = placeWords(kind, query);
  const refuse = (message: string, hint: string) =>
    new KsnoopError('NO_SUCH_TARGET', message, { hint, exit: EXIT.noTarget });
  const places = kind.namespaced ? (query.namespaces ?? [undefined]) : [undefined];
  // The names are only for the hint: a user who may not list still gets the error.
  const lists = await Promise.all(
    places.map((place) =>
      list(context.kube, resourcePath(kind.api, place, kind.plural), {}, context.signal).catch(
        (thrown: unknown) => thrown,
      ),
    ),
  );
  const missing = lists.find((answer) => answer instanceof KsnoopError && answer.code === 'NOT_FOUND');
  if (missing !== undefined) {
    return refuse(
      `The cluster has no ${kind.plural} (${kind.api}).`,
      `See what it has: kubectl api-resources --api-group=${apiGroup(kind.api)}`,
    );
  }
  const absent = kind.namespaced ? await absentNamespace(query.namespaces ?? [], context) : undefined;
  if (absent !== undefined) return absent;
  const names = lists.flatMap((answer) =>
    answer instanceof Error || typeof answer !== 'object' || answer === null || !('items' in answer)
      ? []
      : (answer.items as readonly JsonObject[]).map((item) => objectName(item).name),
  );
  const known = names.length === 0 ? `there are no ${kind.plural}${where}` : `${kind.plural} there: ${some(names)}`;
  const look = `Look with kubectl get ${kind.plural}${flags(kind, query)}; ${known}.`;
  if (isPattern(ref.name) || narrowed(query))
    return refuse(`No ${kind.name}${where} matches ${wanted(ref, query)}.`, look);
  const near = nearest(ref.name, names);
  const hint = near.length > 0 ? `Did you mean ${near.join(' or ')}?` : look;
  return refuse(`There is no ${kind.name} ${ref.name}${where}.`, hint);
}

/** Why nothing was found: one of the namespaces does not exist. Undefined where that is not known for certain. */
async function absentNamespace(
  namespaces: readonly string[],
  { kube, signal }: ResolveContext,
): Promise<KsnoopError | undefined> {
  const path = (...name: string[]) => resourcePath('v1', undefined, 'namespaces', ...name);
  // Who may not read namespaces is told what is missing in them.
  const found = await Promise.all(
    namespaces.map((name) => find(kube, path(name), signal).catch((thrown: unknown) => ({ thrown }))),
  );
  const name = namespaces.find((_, index) => found[index] === undefined);
  if (name === undefined) return undefined;
  const { items } = await list(kube, path(), {}, signal).catch((): { items: readonly JsonObject[] } => ({ items: [] }));
  const names = items.map((item) => objectName(item).name);
  const near = nearest(name, names);
  const known = names.length === 0 ? '' : ` Namespaces: ${some(names)}.`;
  const hint = near.length > 0 ? `Did you mean -n ${near.join(' or ')}?` : `Look with kubectl get namespaces.${known}`;
  return new KsnoopError('NO_SUCH_TARGET', `There is no namespace ${name}.`, { hint, exit: EXIT.noTarget });
}

/** A search as text: `web-*`, `-l app=web`. */
export function wanted(ref: TargetRef, query: TargetQuery): string {
  const words = [
    ...(ref.name === '*' ? [] : [ref.name]),
    ...(query.labelSelector === undefined ? [] : [`-l ${query.labelSelector}`]),
    ...(query.fieldSelector === undefined ? [] : [`--field-selector ${query.fieldSelector}`]),
  ];
  return words.length === 0 ? 'anything' : words.join(' and ');
}

function placeWords(kind: TargetKind, { namespaces }: TargetQuery): string {
  if (!kind.namespaced) return '';
  if (namespaces === undefined) return ' in any namespace';
  return ` in namespace ${namespaces.join(' or ')}`;
}

function flags(kind: TargetKind, { namespaces }: TargetQuery): string {
  if (!kind.namespaced) return '';
  return namespaces === undefined ? ' -A' : ` -n ${namespaces[0]}`;
}

function some(names: readonly string[]): string {
  return names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');
}
