import { EXIT, KsnoopError } from '../../wire/errors.ts';
import {
  arrayAt,
  isObject,
  type JsonObject,
  objectAt,
  objectsAt,
  optionalNumber,
  optionalString,
} from '../../wire/guard.ts';
import { call, list, open } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { resourcePath } from '../kube/resource.ts';
import { CAPTURE_API, conditionOf, noCaptures, phaseOf } from './capture-object.ts';

/** A Capture as lists show it. */
export interface CaptureSummary {
  readonly namespace: string;
  readonly name: string;
  /** `status.phase`; `Pending` before the controller has seen it. */
  readonly phase: string;
  /** Why it is pending or refused, or what of it is not captured; empty mostly. */
  readonly reason: string;
  readonly targets: readonly string[];
  readonly filter: string;
  readonly requestedBy: string;
  /** Pods that have a ticket, of those that are wanted. */
  readonly pods: { readonly admitted: number; readonly wanted: number };
  /** As the API server has them: RFC 3339. */
  readonly created: string;
  readonly completed: string | undefined;
  readonly duration: string;
  /** Of a recording; undefined for a live capture. */
  readonly recording: RecordingSummary | undefined;
}

/** What a list shows of a recording. */
export interface RecordingSummary {
  readonly destination: string;
  /** Pods that are recorded now. */
  readonly capturing: number;
  /** Nodes on which it records, or has recorded. */
  readonly nodes: number;
  readonly packets: number;
  readonly bytes: number;
  /** Exchanges that matched; undefined without a trigger. */
  readonly triggers: number | undefined;
  /** Finished files. */
  readonly files: number;
}

/**
 * The Captures of a namespace, or of all.
 * @throws KsnoopError NO_CAPTURES where the cluster has no such kind, and as `list`
 */
export async function listCaptures(
  kube: Kube,
  namespace: string | undefined,
  signal?: AbortSignal,
): Promise<CaptureSummary[]> {
  try {
    const { items } = await list(kube, resourcePath(CAPTURE_API, namespace, 'captures'), {}, signal);
    return items.map(summaryOf);
  } catch (thrown) {
    throw thrown instanceof KsnoopError && thrown.code === 'NOT_FOUND' ? noCaptures(thrown) : thrown;
  }
}

/** End a Capture; the object stays, with its status. @throws KsnoopError NO_SUCH_TARGET (exit 3), and as `call` */
export async function stopCapture(kube: Kube, namespace: string, name: string, signal?: AbortSignal): Promise<void> {
  const path = resourcePath(CAPTURE_API, namespace, 'captures', name);
  const body = JSON.stringify({ spec: { state: 'Stopped' } });
  await present(
    call(kube, { method: 'PATCH', path, body, contentType: 'application/merge-patch+json', signal }),
    namespace,
    name,
  );
}

/** Remove a Capture, which also ends it. @throws KsnoopError NO_SUCH_TARGET (exit 3), and as `call` */
export async function deleteCapture(kube: Kube, namespace: string, name: string, signal?: AbortSignal): Promise<void> {
  const path = resourcePath(CAPTURE_API, namespace, 'captures', name);
  (await present(open(kube, { method: 'DELETE', path, signal }), namespace, name)).resume();
}

async function present<T>(answer: Promise<T>, namespace: string, name: string): Promise<T> {
  try {
    return await answer;
  } catch (thrown) {
    if (!(thrown instanceof KsnoopError) || thrown.code !== 'NOT_FOUND') throw thrown;
    throw new KsnoopError('NO_SUCH_TARGET', `There is no Capture ${name} in namespace ${namespace}.`, {
      hint: `List them: ksnoop captures -n ${namespace}`,
      exit: EXIT.noTarget,
      cause: thrown,
    });
  }
}

function summaryOf(object: JsonObject): CaptureSummary {
  const metadata = objectAt(object, 'metadata');
  const spec = objectAt(object, 'spec');
  const status = objectAt(object, 'status');
  const targets = objectAt(status, 'targets');
  const text = (parent: JsonObject, key: string) => optionalString(parent, key) ?? '';
  return {
    namespace: text(metadata, 'namespace'),
    name: text(metadata, 'name'),
    phase: phaseOf(status) || 'Pending',
    reason: reasonOf(status),
    targets: arrayAt(spec, 'targets').filter((target): target is string => typeof target === 'string'),
    filter: text(spec, 'filter'),
    requestedBy: text(spec, 'requestedBy'),
    pods: { admitted: optionalNumber(targets, 'admitted') ?? 0, wanted: optionalNumber(targets, 'wanted') ?? 0 },
    created: text(metadata, 'creationTimestamp'),
    completed: optionalString(status, 'completionTime'),
    duration: text(objectAt(spec, 'limits'), 'duration'),
    recording: isObject(spec.storage) ? recordingOf(spec, status) : undefined,
  };
}

function recordingOf(spec: JsonObject, status: JsonObject): RecordingSummary {
  const counters = objectAt(status, 'counters');
  const count = (parent: JsonObject, key: string) => optionalNumber(parent, key) ?? 0;
  return {
    destination: optionalString(objectAt(spec, 'storage'), 'destination') ?? '',
    capturing: count(objectAt(status, 'targets'), 'capturing'),
    nodes: new Set(objectsAt(status, 'nodes').map(({ node }) => node)).size,
    packets: count(counters, 'packets'),
    bytes: count(counters, 'bytes'),
    triggers: isObject(spec.trigger) ? count(counters, 'triggers') : undefined,
    files: arrayAt(status, 'files').length,
  };
}

function reasonOf(status: JsonObject): string {
  const admitted = conditionOf(status, 'Admitted');
  if (admitted.status === 'False') return admitted.message;
  const degraded = conditionOf(status, 'Degraded');
  return degraded.status === 'True' ? degraded.message : '';
}
