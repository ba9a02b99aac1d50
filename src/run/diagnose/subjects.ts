import type { Subjects } from '../../analyze/findings/cluster/subject.ts';
import type { ClusterFacts } from '../../analyze/findings/cluster-facts.ts';
import { targetKind } from '../../capture/kinds/index.ts';
import type { TargetQuery } from '../../capture/targets/target-find.ts';
import { namePattern } from '../../capture/targets/target-words.ts';

/**
 * The Services and Ingresses that are asked about: those among the targets.
 * @param others further Services by name and namespace, `web.shop`
 */
export function subjectsOf(query: TargetQuery, others: ReadonlySet<string> = new Set()): Subjects {
  const named = (kind: string) => {
    const patterns = query.refs
      .filter((ref) => targetKind(ref.kind)?.name === kind)
      .map(({ name, namespace }) => ({ namespace, matches: namePattern(name) }));
    return (place: string, name: string) =>
      patterns.some(
        ({ namespace, matches }) =>
          matches(name) && (namespace === undefined ? isWithin(query, place) : namespace === place),
      );
  };
  const isTarget = named('service');
  return {
    isService: (namespace, name) => others.has(`${name}.${namespace}`) || isTarget(namespace, name),
    isIngress: named('ingress'),
  };
}

function isWithin({ namespaces }: TargetQuery, namespace: string): boolean {
  return namespaces === undefined || namespaces.includes(namespace);
}

/** Names of the Ingresses that lead to a Service among the targets, by namespace. */
export function ingressesTo(subjects: Subjects, { ingresses }: ClusterFacts): { namespace: string; name: string }[] {
  if (ingresses === 'unreadable') return [];
  return ingresses
    .filter(({ namespace, backends }) => backends.some(({ service }) => subjects.isService(namespace, service)))
    .map(({ namespace, name }) => ({ namespace, name }));
}
