import type { Identity } from './identity.ts';

/**
 * What a Deployment's ReplicaSet appends to its name for a pod: a hash of the template and five characters. Kubernetes
 * makes both of few characters (apimachinery's rand.SafeEncodeString and rand.String), so hardly any other name ends so.
 */
const REPLICA = /^(.+)-[4-9bcdf]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$/;

/** The Deployment that a pod's name shows, else the pod's name. */
export function workloadName(pod: string): string {
  return REPLICA.exec(pod)?.[1] ?? pod;
}

/**
 * What people are shown of a client: its Service where that is known, else the Deployment whose name its pod's name
 * shows (`shop/client`), else the pod, name or node itself.
 */
export function workloadText(identity: Identity): string {
  const { service, pod, namespace, cluster, group } = identity;
  if (service !== undefined || pod === undefined) return group;
  const workload = REPLICA.exec(pod)?.[1];
  if (workload === undefined) return group;
  const local = namespace === undefined ? workload : `${namespace}/${workload}`;
  return cluster === undefined ? local : `${cluster}/${local}`;
}
