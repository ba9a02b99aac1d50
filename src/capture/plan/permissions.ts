import { AGENT_NAMESPACE } from '../agents/agents.ts';
import { targetKind } from '../kinds/index.ts';
import { isAllowed, type Right } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { apiGroup } from '../kube/resource.ts';
import { RIGHTS_CHECKED } from '../limits.ts';
import type { TargetQuery } from '../targets/target-find.ts';
import { isPattern } from '../targets/target-words.ts';

/** A right that a capture uses, and what for. */
export interface NeededRight extends Right {
  readonly verb: string;
  readonly resource: string;
  /** What it is for, or what does not happen without it. */
  readonly purpose: string;
  /** Without it nothing is captured. */
  readonly required: boolean;
}

export interface CheckedRight extends NeededRight {
  readonly allowed: boolean;
}

/**
 * The rights that a capture of these targets uses.
 * @param namespaces those the pods found are in
 */
export function neededRights(query: TargetQuery, namespaces: Iterable<string>): NeededRight[] {
  const agents = { namespace: AGENT_NAMESPACE, required: true };
  const resume = 'without it a stream that breaks is not resumed';
  const rights: NeededRight[] = [
    { verb: 'list', resource: 'pods', ...agents, purpose: 'to find the agents' },
    { verb: 'get', resource: 'pods/exec', ...agents, purpose: 'to reach the agents' },
    { verb: 'create', resource: 'pods/exec', ...agents, purpose: 'to capture' },
    ...['get', 'create'].map((verb) => ({
      verb,
      resource: 'pods/portforward',
      namespace: AGENT_NAMESPACE,
      purpose: resume,
      required: false,
    })),
  ];
  const places = query.namespaces ?? [undefined];
  const exact =
    query.labelSelector === undefined && query.fieldSelector === undefined && query.namespaces !== undefined;
  for (const word of new Set(query.refs.map(({ kind }) => kind))) {
    const kind = targetKind(word);
    if (kind === undefined) continue;
    const group = apiGroup(kind.api);
    const named = exact && query.refs.every(({ kind, name }) => kind !== word || !isPattern(name));
    for (const namespace of kind.namespaced ? places : [undefined]) {
      const right = { group, resource: kind.plural, ...(namespace !== undefined && { namespace }) };
      rights.push({ verb: named ? 'get' : 'list', ...right, purpose: `to find the ${kind.name}`, required: true });
      const changes = `without it changes of the ${kind.name} go unnoticed`;
      // A watch begins with a list.
      for (const verb of kind.name === 'pod' ? [] : ['list', 'watch']) {
        rights.push({ verb, ...right, purpose: changes, required: false });
      }
    }
    for (const { where, ...right } of kind.uses ?? []) {
      for (const namespace of where === 'cluster' ? [undefined] : places) {
        rights.push({ ...right, ...(namespace !== undefined && { namespace }), required: false });
      }
    }
  }
  const wide = query.namespaces === undefined ? [undefined] : [...new Set(namespaces)];
  for (const namespace of wide) {
    const place = namespace === undefined ? {} : { namespace };
    const needless = query.refs.every(({ kind }) => ['pod', 'node'].includes(targetKind(kind)?.name ?? ''));
    if (!needless)
      rights.push({ verb: 'list', resource: 'pods', ...place, purpose: 'to find the pods', required: true });
    const follow = 'without it pods that come later do not join';
    for (const verb of ['list', 'watch']) {
      rights.push({ verb, resource: 'pods', ...place, purpose: follow, required: false });
    }
    const names = 'without it addresses of Services have no names';
    rights.push({ verb: 'list', resource: 'services', ...place, purpose: names, required: false });
  }
  const unlike = new Map<string, NeededRight>();
  for (const right of rights) {
    const key = [right.verb, right.group ?? '', right.resource, right.namespace].join(' ');
    if (!unlike.has(key)) unlike.set(key, right);
  }
  return [...unlike.values()].slice(0, RIGHTS_CHECKED);
}

/** Ask the API server about each of them (SelfSubjectAccessReview). Of the two ways to the agents one is enough. */
export async function checkRights(
  kube: Kube,
  rights: readonly NeededRight[],
  signal: AbortSignal,
): Promise<CheckedRight[]> {
  const checked = await Promise.all(
    rights.map(async (right) => ({ ...right, allowed: await isAllowed(kube, right, signal) })),
  );
  const forwards = checked.filter(({ resource }) => resource === 'pods/portforward');
  const otherWay = forwards.length > 0 && forwards.every(({ allowed }) => allowed);
  return checked.map((right) => (right.resource === 'pods/exec' && otherWay ? { ...right, required: false } : right));
}
