import { create } from '../capture/kube/api.ts';
import type { Kube } from '../capture/kube/kube.ts';
import { resourcePath } from '../capture/kube/resource.ts';
import { objectAt } from '../wire/guard.ts';
import type { CaptureView, Requester } from './capture-object.ts';
import { ALLOWED_MS, PERMISSIONS_REMEMBERED } from './limits.ts';

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):[^:]+$/;

/** What is asked of the authorizer for a Capture. */
type Question = Pick<CaptureView, 'namespace' | 'requester' | 'hostNetwork'>;

interface Answer {
  /** When it was asked, milliseconds of a clock that nobody sets. */
  readonly at: number;
  readonly refusal: Promise<string | undefined>;
}

/**
 * Asks whether requesters may have their Captures now. Captures of one requester share an answer for ALLOWED_MS: of hundreds that are due
 * together each would have asked for itself.
 */
export class Permissions {
  readonly #kube: Kube;
  readonly #signal: AbortSignal;
  readonly #elapsed: () => number;
  readonly #answers = new Map<string, Answer>();

  /** @param elapsed milliseconds of a clock that nobody sets */
  constructor(kube: Kube, signal: AbortSignal, elapsed: () => number = () => performance.now()) {
    this.#kube = kube;
    this.#signal = signal;
    this.#elapsed = elapsed;
  }

  /**
   * @returns undefined when it is allowed, else what is missing, a sentence
   * @throws KsnoopError as `refusalOf`
   */
  refusalOf({ namespace, requester, hostNetwork }: Question): Promise<string | undefined> {
    const { user, groups, extra } = requester;
    const key = JSON.stringify([namespace, hostNetwork, user, groups, extra]);
    const at = this.#elapsed();
    const known = this.#answers.get(key);
    if (known !== undefined && at < known.at + ALLOWED_MS) return known.refusal;
    const refusal = refusalOf(this.#kube, { namespace, requester, hostNetwork }, this.#signal);
    const answer = { at, refusal };
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    // What was refused, or had no answer, may be allowed a moment later.
    const forget = () => {
      if (this.#answers.get(key) === answer) this.#answers.delete(key);
    };
    refusal.then((missing) => missing !== undefined && forget(), forget);
    this.#forget(at);
    return refusal;
  }

  /** The oldest come first. */
  #forget(now: number): void {
    for (const [key, { at }] of this.#answers) {
      if (now < at + ALLOWED_MS && this.#answers.size <= PERMISSIONS_REMEMBERED) return;
      this.#answers.delete(key);
    }
  }
}

/**
 * Whether the requester of a Capture may have it now: what the policy checked at its creation, asked again (SubjectAccessReview).
 * @returns undefined when it is allowed, else what is missing, a sentence
 * @throws KsnoopError as `call` when the API server cannot answer: then nothing is allowed
 */
async function refusalOf(kube: Kube, question: Question, signal: AbortSignal): Promise<string | undefined> {
  const { namespace, requester, hostNetwork } = question;
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
