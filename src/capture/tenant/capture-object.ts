import { deadlineSignal } from '../../wire/deadline.ts';
import { EXIT, KsnoopError } from '../../wire/errors.ts';
import { arrayAt, type JsonObject, objectAt, objectsAt, optionalString, requireString } from '../../wire/guard.ts';
import { call, create, find, open } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { resourcePath } from '../kube/resource.ts';
import { TENANT_DELETE_MS } from '../limits.ts';

/** The API group and version of Captures (daemonset/captures/crd.yaml). */
export const CAPTURE_API = 'ksnoop.io/v1alpha1';

/** Groups of the user that a Capture names; those that every user is in give no permission of their own. */
const GROUPS_MAXIMUM = 64;
const GROUPS_OF_ALL = new Set(['system:authenticated', 'system:unauthenticated']);

/** What a tenant wants to capture, in the terms of the Capture's spec. */
export interface WantedCapture {
  readonly namespace: string;
  /** KIND/NAME. */
  readonly targets: readonly string[];
  readonly filter: string | undefined;
  readonly snaplen: number;
  /** Also pods on their node's network. */
  readonly hostNetwork: boolean;
  readonly durationMs: number;
  /** X25519, base64. */
  readonly clientKey: string;
}

/** A Capture that was made. */
export interface MadeCapture {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** A Capture as it is sent to the API server. */
export interface CaptureManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name?: string; readonly generateName?: string; readonly namespace: string };
  readonly spec: object;
}

/** Whether the cluster has Captures: an administrator has run `ksnoop install --captures`. @throws KsnoopError as `find` */
export async function takesCaptures(kube: Kube, signal: AbortSignal): Promise<boolean> {
  return (await find(kube, resourcePath(CAPTURE_API, undefined), signal)) !== undefined;
}

/**
 * Make a Capture of the user's own.
 * @throws KsnoopError NO_CAPTURES, CAPTURE_REFUSED by the policy, FORBIDDEN by RBAC, BAD_REQUEST by the schema
 */
export async function createCapture(kube: Kube, wanted: WantedCapture, signal: AbortSignal): Promise<MadeCapture> {
  const { namespace, targets, filter, snaplen, hostNetwork, durationMs, clientKey } = wanted;
  const user = await ownUser(kube, signal);
  return createObject(
    kube,
    {
      apiVersion: CAPTURE_API,
      kind: 'Capture',
      metadata: { generateName: 'ksnoop-', namespace },
      spec: {
        targets,
        ...(filter !== undefined && { filter }),
        snaplen,
        hostNetwork,
        limits: { duration: `${Math.ceil(durationMs / 1000)}s` },
        requestedBy: user.name,
        ...(user.groups.length > 0 && { requestedByGroups: user.groups }),
        clientKey,
      },
    },
    signal,
  );
}

/**
 * Create a Capture as it is.
 * @throws KsnoopError as createCapture
 */
export async function createObject(kube: Kube, object: CaptureManifest, signal: AbortSignal): Promise<MadeCapture> {
  const { namespace } = object.metadata;
  try {
    const made = objectAt(
      await create(kube, resourcePath(CAPTURE_API, namespace, 'captures'), { ...object }, signal),
      'metadata',
    );
    return {
      namespace,
      name: requireString(made, 'name', 'Capture'),
      uid: requireString(made, 'uid', 'Capture'),
    };
  } catch (thrown) {
    throw explained(thrown, namespace);
  }
}

/**
 * End a Capture: delete it, or stop it where the user may not delete. Its duration ends it in any case. One of the same name that was
 * made since is another Capture, and stays.
 * @returns why it could not be ended; undefined when it was
 */
export async function endCapture(kube: Kube, { namespace, name, uid }: MadeCapture): Promise<string | undefined> {
  const path = resourcePath(CAPTURE_API, namespace, 'captures', name);
  const signal = deadlineSignal(TENANT_DELETE_MS);
  try {
    const body = JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid } });
    const response = await open(kube, { method: 'DELETE', path, body, signal });
    response.resume();
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof KsnoopError)) return 'the API server did not answer in time';
    if (thrown.code === 'NOT_FOUND' || thrown.code === 'CONFLICT') return undefined;
    if (thrown.code !== 'FORBIDDEN') return thrown.message;
  }
  try {
    const body = JSON.stringify({ metadata: { uid }, spec: { state: 'Stopped' } });
    await call(kube, { method: 'PATCH', path, body, contentType: 'application/merge-patch+json', signal });
    return undefined;
  } catch (thrown) {
    return thrown instanceof KsnoopError ? thrown.message : 'the API server did not answer in time';
  }
}

/** Who the API server takes the user for (SelfSubjectReview, Kubernetes 1.28 and later). */
export async function ownUser(kube: Kube, signal: AbortSignal): Promise<{ name: string; groups: unknown[] }> {
  const path = resourcePath('authentication.k8s.io/v1', undefined, 'selfsubjectreviews');
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const answer: JsonObject = await create(kube, path, review, signal);
  const user = objectAt(objectAt(answer, 'status'), 'userInfo');
  const groups = arrayAt(user, 'groups').filter((group) => typeof group === 'string' && !GROUPS_OF_ALL.has(group));
  return { name: requireString(user, 'username', 'SelfSubjectReview'), groups: groups.slice(0, GROUPS_MAXIMUM) };
}

function explained(thrown: unknown, namespace: string): unknown {
  if (!(thrown instanceof KsnoopError)) return thrown;
  if (thrown.code === 'NOT_FOUND') {
    const missing = /namespaces? /.test(thrown.message) && thrown.message.includes(`"${namespace}"`);
    return missing ? thrown : noCaptures(thrown);
  }
  // A ResourceQuota refuses with the status of missing permissions, too.
  const quota = /exceeded quota: (.*?)\.?$/s.exec(thrown.message)?.[1];
  if (quota !== undefined) {
    return new KsnoopError(
      'CAPTURE_REFUSED',
      `The quota of namespace ${namespace} has no place for another Capture: ${quota}.`,
      {
        hint: 'Captures that have ended count until they are deleted: ksnoop captures, ksnoop delete capture/NAME',
        exit: EXIT.failed,
        cause: thrown,
      },
    );
  }
  // The policy's refusal comes with the status of missing permissions; the hint of RBAC would be wrong.
  if (!thrown.message.includes('ValidatingAdmissionPolicy')) return thrown;
  const why = /denied request: (.*)$/s.exec(thrown.message)?.[1] ?? thrown.message;
  return new KsnoopError('CAPTURE_REFUSED', `The policy of the cluster does not admit this capture: ${why}`, {
    hint: captureRightHint(namespace),
    exit: EXIT.failed,
    cause: thrown,
  });
}

/** How a user gets the permission to capture. */
export function captureRightHint(namespace: string): string {
  return `Ask the administrator for the verb capture on captures.ksnoop.io in namespace ${namespace} (docs/tenants.md).`;
}

/** The API server does not know Captures. */
export function noCaptures(cause: KsnoopError): KsnoopError {
  return new KsnoopError('NO_CAPTURES', 'The cluster has no Captures: it is not set up for tenants.', {
    hint: 'An administrator sets it up: ksnoop install --captures',
    cause,
  });
}

/** A condition of a Capture. */
export function conditionOf(status: JsonObject, type: string): { status: string; reason: string; message: string } {
  const found = objectsAt(status, 'conditions').find((condition) => condition.type === type) ?? {};
  const text = (key: string) => optionalString(found, key) ?? '';
  return { status: text('status'), reason: text('reason'), message: text('message') };
}

/** `status.phase`. */
export function phaseOf(status: JsonObject): string {
  return optionalString(status, 'phase') ?? '';
}
