import { find } from '../../capture/kube/api.ts';
import { resourcePath } from '../../capture/kube/resource.ts';
import type { TargetRef } from '../../capture/targets/target-words.ts';
import { KsnoopError } from '../../wire/errors.ts';
import type { OpenedQuery } from '../capture/find-targets.ts';
import type { Examination } from './examination.ts';
import { ingressesTo, subjectsOf } from './subjects.ts';

/** The Service of the cluster's DNS, called so by every installer whatever serves it. */
const DNS = { namespace: 'kube-system', name: 'kube-dns' };

/**
 * The targets with what stands before and beside them: the Ingresses that lead to them with their controllers, and the cluster's
 * DNS. (Their clients join as they are seen.)
 * @returns also what could not be found, a sentence each
 */
export async function withSurroundings(
  { kube, query }: OpenedQuery,
  examined: Examination | undefined,
  signal: AbortSignal,
): Promise<{ opened: OpenedQuery; notes: readonly string[] }> {
  const notes: string[] = [];
  const refs: TargetRef[] = [...query.refs];
  const facts = examined?.facts;
  if (facts !== undefined)
    refs.push(...ingressesTo(subjectsOf(query), facts).map((one) => ({ kind: 'ingress', ...one })));
  try {
    const service = await find(kube, resourcePath('v1', DNS.namespace, 'services', DNS.name), signal);
    if (service === undefined)
      notes.push(`the cluster's DNS is not captured: there is no Service ${DNS.namespace}/${DNS.name}`);
    else refs.push({ kind: 'service', ...DNS });
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof KsnoopError)) throw thrown;
    notes.push(`the cluster's DNS is not captured: ${thrown.message} ${thrown.hint ?? ''}`.trimEnd());
  }
  return { opened: { kube, query: { ...query, refs } }, notes };
}
