import { call, find } from '../capture/kube/api.ts';
import type { Kube } from '../capture/kube/kube.ts';
import { resourcePath } from '../capture/kube/resource.ts';
import { isObject, type JsonObject, objectAt, optionalNumber, optionalString, parseJson } from '../wire/guard.ts';
import { POLICY_CHANGED_MS, POLICY_SETTLES_MS } from './limits.ts';

/** The annotation of the controllers' Lease that has the record: only the controller and administrators write there. */
const ANNOTATION = 'ksnoop.io/policy';

/** Since when the policy and its binding are as they are. */
export interface PolicyRecord {
  /** UIDs and generations of both objects. */
  readonly version: string;
  /** Milliseconds since 1970: Captures made before may have been made while the policy did not protect them. */
  readonly since: number;
}

/**
 * The record of the policy as it is now. The API server has no time of an object's last change, only the number of its
 * changes (metadata.generation): of a policy that was changed, the time is that of the controller that saw the change first.
 * @param known the last record
 * @param now milliseconds since 1970
 * @returns `known` itself while nothing has changed
 */
export function policyRecord(
  policy: JsonObject,
  binding: JsonObject,
  known: PolicyRecord | undefined,
  now: number,
): PolicyRecord {
  const version = [policy, binding].map(versionOf).join(' ');
  if (known?.version === version) return known;
  const neverChanged = [policy, binding].every((object) => generationOf(object) === 1);
  const created = Math.max(createdAt(policy), createdAt(binding)) + POLICY_SETTLES_MS;
  return { version, since: neverChanged ? created : Math.max(created, now + POLICY_CHANGED_MS) };
}

function versionOf(object: JsonObject): string {
  return `${optionalString(objectAt(object, 'metadata'), 'uid') ?? ''}/${generationOf(object)}`;
}

function generationOf(object: JsonObject): number {
  return optionalNumber(objectAt(object, 'metadata'), 'generation') ?? 0;
}

function createdAt(object: JsonObject): number {
  const time = Date.parse(optionalString(objectAt(object, 'metadata'), 'creationTimestamp') ?? '');
  return Number.isFinite(time) ? time : Number.POSITIVE_INFINITY;
}

/** Where the record outlives a controller: the Lease that all replicas share. */
export interface PolicyRecords {
  /** @returns undefined when there is none, or it cannot be understood @throws KsnoopError as `find` */
  read(signal: AbortSignal): Promise<PolicyRecord | undefined>;
  /** @throws KsnoopError as `call` */
  save(record: PolicyRecord, signal: AbortSignal): Promise<void>;
}

/** @param name the Lease's */
export function policyRecords(kube: Kube, namespace: string, name: string): PolicyRecords {
  const path = resourcePath('coordination.k8s.io/v1', namespace, 'leases', name);
  return {
    async read(signal) {
      const lease = (await find(kube, path, signal)) ?? {};
      return parsed(optionalString(objectAt(objectAt(lease, 'metadata'), 'annotations'), ANNOTATION) ?? '');
    },
    async save({ version, since }, signal) {
      const annotations = { [ANNOTATION]: JSON.stringify({ version, since }) };
      const body = JSON.stringify({ metadata: { annotations } });
      await call(kube, { method: 'PATCH', path, body, contentType: 'application/merge-patch+json', signal });
    },
  };
}

function parsed(text: string): PolicyRecord | undefined {
  let value: unknown;
  try {
    value = parseJson(text, ANNOTATION);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { version, since } = value;
  return typeof version === 'string' && typeof since === 'number' ? { version, since } : undefined;
}
