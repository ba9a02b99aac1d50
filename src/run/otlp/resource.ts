import type { Identity, IdentityParts } from '../../analyze/identity/identity.ts';
import { workloadName } from '../../analyze/identity/workload.ts';
import type { Attributes } from './attributes.ts';

/**
 * Who a server or a client is, as a resource (OpenTelemetry's conventions for services and Kubernetes). Prometheus makes `job` of
 * the service's namespace and name, and `instance` of its instance id.
 * @param label the address, where nothing else is known
 */
export function resourceOf(who: Identity | IdentityParts | undefined, label: string): Attributes {
  const { pod, namespace, service, node, name, cluster } = who ?? {};
  const workload = pod === undefined ? undefined : workloadName(pod);
  return {
    'service.name': service ?? workload ?? name ?? node ?? label,
    'service.namespace': namespace,
    'service.instance.id': pod === undefined ? undefined : inNamespace(pod, namespace),
    'k8s.cluster.name': cluster,
    'k8s.namespace.name': namespace,
    'k8s.service.name': service,
    'k8s.pod.name': pod,
    'k8s.node.name': node,
  };
}

function inNamespace(name: string, namespace: string | undefined): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** Who a peer is, in a word: `web.shop`, `client.shop`, else its name or address. */
export function peerName(who: Identity | undefined, label: string): string {
  if (who === undefined) return label;
  const { pod, namespace, service, name, node } = who;
  const local = service ?? (pod === undefined ? undefined : workloadName(pod));
  if (local === undefined) return name ?? node ?? label;
  return namespace === undefined ? local : `${local}.${namespace}`;
}
