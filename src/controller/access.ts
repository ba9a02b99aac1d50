import { create } from '../capture/kube/api.ts';
import type { Kube } from '../capture/kube/kube.ts';
import { resourcePath } from '../capture/kube/resource.ts';
import { objectAt } from '../wire/guard.ts';
import type { CaptureView, Requester } from './capture-object.ts';

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):[^:]+$/;

/**
 * Whether the requester of a Capture may have it now: what the policy checked at its creation, asked again (SubjectAccessReview).
 * @returns undefined when it is allowed, else what is missing, a sentence
 * @throws KsnoopError as `call` when the API server cannot answer: then nothing is allowed
 */
export async function refusalOf(kube: Kube, capture: CaptureView, signal: AbortSignal): Promise<string | undefined> {
  const { namespace, requester, hostNetwork } = capture;
  const exec = { namespace, verb: 'create', group: '', resource: 'pods', subresource: 'exec' };
  const verb = { namespace, verb: 'capture', group: 'ksnoop.io', resource: 'captures' };
  if (!((await isAllowed(kube, requester, verb, signal)) || (await isAllowed(kube, requester, exec, signal)))) {
    return `${requester.user} may not create pods/exec in namespace ${namespace}, and does not have the verb capture on captures.ksnoop.io there.`;
  }
  const host = { verb: 'capture-host-network', group: 'ksnoop.io', resource: 'captures' };
  if (hostNetwork && !(await isAllowed(kube, requester, host, signal))) {
    return `${requester.user} does not have the cluster-wide verb capture-host-network on captures.ksnoop.io.`;
  }
  return undefined;
}

async function isAllowed(
  kube: Kube,
  requester: Requester,
  resourceAttributes: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<boolean> {
  const { user, extra } = requester;
  const review = await create(
    kube,
    resourcePath('authorization.k8s.io/v1', undefined, 'subjectaccessreviews'),
    {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user, groups: groupsOf(requester), extra, resourceAttributes },
    },
    signal,
  );
  const status = objectAt(review, 'status');
  return status.allowed === true && status.denied !== true;
}

/** The groups that the policy confirmed, and those that every user, and every service account, is in (k8s.io/apiserver, serviceaccount.MakeGroupNames). */
export function groupsOf({ user, groups }: Requester): string[] {
  const [, namespace] = SERVICE_ACCOUNT.exec(user) ?? [];
  const own = namespace === undefined ? [] : ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
  const authenticated = user === 'system:anonymous' ? [] : ['system:authenticated'];
  return [...new Set([...groups, ...own, ...authenticated])];
}
