import { targetKind } from '../capture/kinds/index.ts';
import { parseTargets, type TargetRef } from '../capture/targets/target-words.ts';
import { KsnoopError } from '../wire/errors.ts';
import { arrayAt, type JsonObject, objectAt, optionalNumber, optionalString, requireString } from '../wire/guard.ts';
import { FILTER_MAXIMUM, SNAPLEN_DEFAULT, SNAPLEN_MAXIMUM, SNAPLEN_MINIMUM } from '../wire/limits.ts';
import { parseDuration } from './duration.ts';
import { DURATION_MAXIMUM_MS } from './limits.ts';
import { type FetchSpec, fetchSpec, type RecordingSpec, recordingSpec } from './recording/spec.ts';

/** Whose permissions a Capture needs: as the policy found them at its creation. */
export interface Requester {
  readonly user: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** What the controller reads of a Capture. */
export interface CaptureView {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  /** Milliseconds since 1970, from the API server. */
  readonly created: number;
  /** Created and limits.duration together: when it ends. */
  readonly ends: number;
  readonly stopped: boolean;
  readonly deleted: boolean;
  readonly targets: readonly TargetRef[];
  /** Empty for none. */
  readonly filter: string;
  /** Bytes kept of each packet. */
  readonly snaplen: number;
  readonly hostNetwork: boolean;
  readonly requester: Requester;
  /** X25519 public key, base64; empty without a client. */
  readonly clientKey: string;
  /** Undefined for a live capture. */
  readonly recording: RecordingSpec | undefined;
  /** Who asks for the files of the recording. */
  readonly fetch: FetchSpec | undefined;
  readonly status: JsonObject;
}

/**
 * Kinds that a tenant may name. All are of the tenant's namespace, and only its pods are taken of what they lead to. Not the
 * namespace's own object or nodes, which are of the cluster, and no kinds that only the API server knows.
 */
const TENANT_KINDS = new Set([
  'pod',
  'deployment',
  'replicaset',
  'statefulset',
  'daemonset',
  'job',
  'cronjob',
  'replicationcontroller',
  'service',
  'ingress',
  'httproute',
]);

/**
 * Read a Capture. The API server has checked it against the schema; nothing here relies on that.
 * @throws KsnoopError BAD_TARGET, BAD_FILTER, INVALID_MESSAGE: the Capture cannot be served
 */
export function captureView(object: JsonObject): CaptureView {
  const metadata = objectAt(object, 'metadata');
  const spec = objectAt(object, 'spec');
  const where = 'Capture';
  const created = Date.parse(requireString(metadata, 'creationTimestamp', where));
  if (!Number.isFinite(created)) throw new KsnoopError('INVALID_MESSAGE', 'The Capture has no time of creation.');
  return {
    uid: requireString(metadata, 'uid', where),
    namespace: requireString(metadata, 'namespace', where),
    name: requireString(metadata, 'name', where),
    generation: optionalNumber(metadata, 'generation') ?? 0,
    created,
    ends: created + durationOf(optionalString(objectAt(spec, 'limits'), 'duration') ?? ''),
    stopped: spec.state !== 'Running',
    deleted: metadata.deletionTimestamp !== undefined,
    targets: targetsOf(spec),
    filter: filterOf(spec),
    snaplen: snaplenOf(spec),
    hostNetwork: spec.hostNetwork === true,
    requester: requesterOf(spec),
    clientKey: optionalString(spec, 'clientKey') ?? '',
    recording: recordingSpec(spec),
    fetch: fetchSpec(spec),
    status: objectAt(object, 'status'),
  };
}

/** @returns milliseconds of limits.duration @throws KsnoopError INVALID_MESSAGE */
function durationOf(text: string): number {
  const duration = parseDuration(text);
  if (duration !== undefined && duration > 0 && duration <= DURATION_MAXIMUM_MS) return duration;
  throw new KsnoopError('INVALID_MESSAGE', 'limits.duration is more than 0s and 24h at most, such as 30m.');
}

function targetsOf(spec: JsonObject): TargetRef[] {
  const words = arrayAt(spec, 'targets');
  if (words.length === 0 || words.length > 32) throw new KsnoopError('BAD_TARGET', 'targets has 1 to 32 items.');
  return words.flatMap((word) => {
    if (typeof word !== 'string' || word.length > 253 || hasControl(word) || !/^[^/,\s]+\/[^/,\s]+$/.test(word)) {
      throw new KsnoopError('BAD_TARGET', 'Each target is KIND/NAME.');
    }
    const refs = parseTargets([word], false);
    for (const { kind } of refs) {
      const name = targetKind(kind)?.name;
      if (name === undefined || !TENANT_KINDS.has(name)) {
        throw new KsnoopError(
          'BAD_TARGET',
          `A Capture cannot have the target ${word}: its kinds are ${[...TENANT_KINDS].join(', ')}.`,
        );
      }
    }
    return refs;
  });
}

function filterOf(spec: JsonObject): string {
  const filter = optionalString(spec, 'filter') ?? '';
  // tcpdump gets it after `--`; that it is no option is checked all the same.
  if (filter.startsWith('-') || filter.length > FILTER_MAXIMUM || hasControl(filter)) {
    throw new KsnoopError(
      'BAD_FILTER',
      `filter is a BPF filter of ${FILTER_MAXIMUM} characters at most that does not begin with "-".`,
    );
  }
  return filter;
}

/** Control characters, also those from U+0080 to U+009F: a terminal may obey them. */
function hasControl(text: string): boolean {
  return [...text].some((character) => character < ' ' || (character >= '\x7f' && character <= '\x9f'));
}

function snaplenOf(spec: JsonObject): number {
  const snaplen = optionalNumber(spec, 'snaplen') ?? SNAPLEN_DEFAULT;
  if (Number.isInteger(snaplen) && snaplen >= SNAPLEN_MINIMUM && snaplen <= SNAPLEN_MAXIMUM) return snaplen;
  throw new KsnoopError('INVALID_MESSAGE', `snaplen is from ${SNAPLEN_MINIMUM} to ${SNAPLEN_MAXIMUM} bytes.`);
}

function requesterOf(spec: JsonObject): Requester {
  const user = optionalString(spec, 'requestedBy') ?? '';
  if (user === '' || user.length > 512) throw new KsnoopError('INVALID_MESSAGE', 'requestedBy is required.');
  const extra = Object.entries(objectAt(spec, 'requestedByExtra')).map(
    ([key, values]) => [key, strings(values)] as const,
  );
  return { user, groups: strings(spec.requestedByGroups), extra: Object.fromEntries(extra) };
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

/**
 * What is kept of a Capture in memory: without labels, annotations and managed fields, of which a tenant may make a quarter of a
 * megabyte in each of many objects.
 */
export function keptOf(object: JsonObject): JsonObject {
  const metadata = objectAt(object, 'metadata');
  const kept = KEPT.flatMap((key) => (metadata[key] === undefined ? [] : [[key, metadata[key]] as const]));
  return { metadata: Object.fromEntries(kept), spec: object.spec, status: object.status };
}

const KEPT = [
  'uid',
  'namespace',
  'name',
  'generation',
  'resourceVersion',
  'creationTimestamp',
  'deletionTimestamp',
] as const;
