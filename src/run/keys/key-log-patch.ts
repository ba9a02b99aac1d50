import { EXIT, KsnoopError } from '../../wire/errors.ts';
import { isObject, type JsonObject, objectAt, objectsAt, optionalString } from '../../wire/guard.ts';

/** The volume for key logs, and where containers have it. */
const VOLUME = 'ksnoop-keys';
const DIRECTORY = '/ksnoop-keys';
const VARIABLE = 'SSLKEYLOGFILE';
/**
 * Size of the volume. It lies in memory, and that memory counts for the container that writes. A TLS 1.3 connection has five lines of
 * at most 190 bytes, so this is enough for 17,000 of them; when it is full, writing fails and no pod is evicted.
 */
const VOLUME_SIZE = '16Mi';

/** Where the pod template of each kind is that has one that may change; their patches may be strategic merge patches. */
const TEMPLATES: ReadonlyMap<string, readonly string[]> = new Map([
  ['deployment', ['spec', 'template']],
  ['statefulset', ['spec', 'template']],
  ['daemonset', ['spec', 'template']],
  ['replicaset', ['spec', 'template']],
  ['replicationcontroller', ['spec', 'template']],
  ['cronjob', ['spec', 'jobTemplate', 'spec', 'template']],
]);

/** Whether ksnoop can make a patch for objects of a kind, by its name (`deployment`). */
export function hasTemplate(kind: string): boolean {
  return TEMPLATES.has(kind);
}

/** A container that writes a key log, and where. */
export interface KeyLogFile {
  readonly container: string;
  readonly path: string;
  /** What SSLKEYLOGFILE is set to already, where it is. */
  readonly before: string | undefined;
}

export interface KeyLogPatch {
  /** A strategic merge patch, as kubectl patch takes it. */
  readonly patch: JsonObject;
  readonly files: readonly KeyLogFile[];
}

/**
 * A patch that lets the containers of a workload write the secrets of their TLS connections to a volume in memory.
 * @param kind one with a template (hasTemplate)
 * @param object the workload as the API server has it
 * @param settings container: only this one; remove: the patch that takes the first one back
 * @throws KsnoopError NO_SUCH_CONTAINER (exit 2)
 */
export function keyLogPatch(
  kind: string,
  object: JsonObject,
  { container, remove = false }: { readonly container?: string | undefined; readonly remove?: boolean },
): KeyLogPatch {
  const path = TEMPLATES.get(kind) ?? [];
  const pod = objectAt(path.reduce(objectAt, object), 'spec');
  // Init containers that restart always are sidecars: they have connections of their own. Others end before there is a capture.
  const sidecars = objectsAt(pod, 'initContainers').filter(({ restartPolicy }) => restartPolicy === 'Always');
  const lists = [
    ['containers', objectsAt(pod, 'containers')],
    ['initContainers', sidecars],
  ] as const;
  const names = lists.flatMap(([, specs]) => specs.map(nameOf));
  if (container !== undefined && !names.includes(container)) {
    throw new KsnoopError('NO_SUCH_CONTAINER', `The pod template has no container ${container}.`, {
      exit: EXIT.usage,
      hint: `Its containers: ${names.join(', ')}.`,
    });
  }
  const chosen = lists.map(([list, specs]) => {
    const some = specs.filter((spec) => container === undefined || nameOf(spec) === container);
    return [list, some] as const;
  });
  const spec: Record<string, unknown> = {};
  for (const [list, specs] of chosen) {
    if (specs.length > 0) spec[list] = specs.map((one) => containerPatch(one, remove));
  }
  // Other containers may still use the volume.
  if (!remove) spec.volumes = [{ name: VOLUME, emptyDir: { medium: 'Memory', sizeLimit: VOLUME_SIZE } }];
  else if (container === undefined) spec.volumes = [{ $patch: 'delete', name: VOLUME }];
  const patch = [...path, 'spec'].reduceRight<JsonObject>((inner, key) => ({ [key]: inner }), spec);
  return { patch, files: chosen.flatMap(([, specs]) => specs.map(fileOf)) };
}

function containerPatch(spec: JsonObject, remove: boolean): JsonObject {
  const name = nameOf(spec);
  if (!remove) {
    // Members are merged, and the API server refuses a variable with both.
    const elsewhere = isObject(variableOf(spec)?.valueFrom) ? { valueFrom: null } : {};
    const env = [{ name: VARIABLE, value: fileIn(name), ...elsewhere }];
    return { name, env, volumeMounts: [{ name: VOLUME, mountPath: DIRECTORY }] };
  }
  const env = [{ $patch: 'delete', name: VARIABLE }];
  return { name, env, volumeMounts: [{ $patch: 'delete', mountPath: DIRECTORY }] };
}

function fileOf(spec: JsonObject): KeyLogFile {
  const container = nameOf(spec);
  const set = variableOf(spec);
  const value = set && (optionalString(set, 'value') ?? (isObject(set.valueFrom) ? 'a value from elsewhere' : ''));
  const before = value === undefined || value === fileIn(container) ? undefined : value;
  return { container, path: fileIn(container), before };
}

function variableOf(spec: JsonObject): JsonObject | undefined {
  return objectsAt(spec, 'env').find(({ name }) => name === VARIABLE);
}

/** Each container has a file of its own: appending to one from several programs mixes lines. */
function fileIn(container: string): string {
  return `${DIRECTORY}/${container}.log`;
}

function nameOf(spec: JsonObject): string {
  return optionalString(spec, 'name') ?? '';
}
