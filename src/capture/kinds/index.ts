import { apiGroup } from '../kube/resource.ts';
import { cronJob } from './cronjob.ts';
import { gateway } from './gateway.ts';
import { httpRoute } from './httproute.ts';
import { ingress } from './ingress.ts';
import type { TargetKind } from './kind.ts';
import { namespace } from './namespace.ts';
import { node } from './node.ts';
import { pod } from './pod.ts';
import { service } from './service.ts';
import { daemonSet, deployment, job, replicaSet, replicationController, statefulSet } from './workloads.ts';

/** Every built-in kind of target: a new one is a file here, or a row in workloads.ts, and a line below. */
export const TARGET_KINDS = [
  pod,
  deployment,
  replicaSet,
  statefulSet,
  daemonSet,
  job,
  cronJob,
  replicationController,
  service,
  ingress,
  gateway,
  httpRoute,
  node,
  namespace,
] as const satisfies readonly TargetKind[];

const byName = new Map<string, TargetKind>();
for (const kind of TARGET_KINDS) {
  for (const name of [kind.name, ...kind.aliases]) {
    if (byName.has(name)) throw new Error(`two target kinds are called ${name}`);
    byName.set(name, kind);
  }
}

/**
 * The kind called by any of its names, in any case, also with its group as kubectl takes it (`deployments.apps`,
 * `deployments.v1.apps`).
 */
export function targetKind(word: string): TargetKind | undefined {
  const [name = '', ...qualifiers] = word.toLowerCase().split('.');
  const kind = byName.get(name);
  if (kind === undefined || qualifiers.length === 0) return kind;
  const group = apiGroup(kind.api);
  const version = kind.api.split('/').at(-1);
  const written = qualifiers.join('.');
  return written === group || written === `${version}.${group}` ? kind : undefined;
}

/** The kind that owner references call so. */
export function kindOfOwner(apiVersion: string, kind: string): TargetKind | undefined {
  return TARGET_KINDS.find((known) => known.kind === kind && known.api === apiVersion);
}
