import { isOfSubjects, type Subjects } from '../../analyze/findings/cluster/subject.ts';
import type { ClusterFacts } from '../../analyze/findings/cluster-facts.ts';
import { namespaceObjects } from '../../capture/facts/namespace-objects.ts';
import { readTlsSecrets, type TlsSecretName } from '../../capture/facts/tls-secrets.ts';
import type { Kube } from '../../capture/kube/kube.ts';
import { deadlineSignal } from '../../wire/deadline.ts';
import { KsnoopError } from '../../wire/errors.ts';
import { clusterFacts } from './cluster-facts.ts';

/** Objects are not waited for longer than this. */
const EXAMINATION_MS = 5000;

/** The objects of so many namespaces are read, at most. */
const NAMESPACES_MAXIMUM = 8;

/** What the cluster's objects say at one time. */
export interface Examination {
  /** Undefined where none could be read. */
  readonly facts: ClusterFacts | undefined;
  /** Whose objects were read. */
  readonly namespaces: readonly string[];
  /** Why objects were not looked at, one sentence each. */
  readonly unread: readonly string[];
}

/**
 * Read the objects of namespaces that findings need. What may not be read is named with the missing rule.
 * @param subjects of whose Ingresses the TLS Secrets are read; of none without
 * @throws what is no KsnoopError, and the signal's reason
 */
export async function examineNamespaces(
  kube: Kube,
  namespaces: readonly string[],
  signal: AbortSignal,
  subjects?: Subjects,
): Promise<Examination> {
  const late = deadlineSignal(EXAMINATION_MS);
  const read = namespaces.slice(0, NAMESPACES_MAXIMUM);
  const at = BigInt(Date.now()) * 1_000_000n;
  try {
    const until = AbortSignal.any([signal, late]);
    const objects = await Promise.all(read.map((namespace) => namespaceObjects(kube, namespace, until)));
    const unread = new Set<string>();
    for (const each of objects) {
      const { services, pods, endpointslices, ingresses, networkpolicies, namespace, absentClasses, events } = each;
      // A namespace's labels are needed by policies alone.
      const labels = networkpolicies instanceof KsnoopError || networkpolicies.length === 0 ? [] : namespace;
      for (const one of [services, pods, endpointslices, ingresses, networkpolicies, labels, absentClasses, events])
        if (one instanceof KsnoopError) unread.add(`${one.message} ${one.hint ?? ''}`.trimEnd());
    }
    for (const namespace of namespaces.slice(NAMESPACES_MAXIMUM))
      unread.add(`Of namespace ${namespace}: the objects of ${NAMESPACES_MAXIMUM} namespaces are read at most.`);
    const facts = clusterFacts(objects, at);
    const secrets = subjects === undefined ? [] : await readTlsSecrets(kube, secretsOf(facts, subjects), until);
    const tlsSecrets = secrets.flatMap(({ certificate, ...secret }) => {
      if (!(certificate instanceof KsnoopError)) return { ...secret, certificate };
      unread.add(
        `Certificates of Ingresses were not checked: ${certificate.message} ${certificate.hint ?? ''}`.trimEnd(),
      );
      return [];
    });
    return { facts: { ...facts, tlsSecrets }, namespaces: read, unread: [...unread] };
  } catch (thrown) {
    signal.throwIfAborted();
    if (!late.aborted) throw thrown;
    const unread = [`The API server did not send the objects within ${EXAMINATION_MS / 1000} s.`];
    return { facts: undefined, namespaces: [], unread };
  }
}

/** The Secrets that Ingresses name for TLS, each once. */
function secretsOf({ ingresses }: ClusterFacts, subjects: Subjects): readonly TlsSecretName[] {
  if (ingresses === 'unreadable') return [];
  const names = ingresses
    .filter((ingress) => isOfSubjects(ingress, subjects))
    .flatMap(({ namespace, tlsSecrets }) => tlsSecrets.map((name) => ({ namespace, name })));
  return [...new Map(names.map((one) => [`${one.namespace}/${one.name}`, one])).values()];
}
