import { KsnoopError } from '../../wire/errors.ts';
import { arrayAt, type Bounds, type JsonObject, objectAt, optionalNumber, optionalString } from '../../wire/guard.ts';
import {
  PIECE_BYTES,
  RECORDING_BYTES,
  type RecordingRing,
  type RecordingTrigger,
  RING_FILES,
  TRIGGER_AFTER_MS,
  TRIGGER_BEFORE_MS,
  WHERE_MAXIMUM,
} from '../../wire/recording.ts';
import type { Requester } from '../capture-object.ts';
import { parseDuration } from '../duration.ts';
import {
  FETCH_FILES,
  RECORDING_BYTES_DEFAULT,
  TRIGGER_AFTER_DEFAULT_MS,
  TRIGGER_BEFORE_DEFAULT_MS,
  TRIGGER_RING,
} from './limits.ts';

/** What a Capture with storage wants beyond its packets. */
export interface RecordingSpec {
  /** A name that the administrator defined, or NODE_DESTINATION. */
  readonly destination: string;
  /** Bytes on the disk of each node. */
  readonly maxBytes: number;
  readonly ring: RecordingRing | undefined;
  readonly trigger: RecordingTrigger | undefined;
}

/** Who asks for the files of a recording (spec.fetch). */
export interface FetchSpec {
  /** X25519 public key, base64. */
  readonly key: string;
  readonly requester: Requester;
  /** Files in a bucket for which a URL is wanted. */
  readonly files: readonly string[];
}

/** The destination that needs no definition: the disk of the node, until the files are fetched. */
export const NODE_DESTINATION = 'node';

/**
 * What is to be recorded, and where to; undefined for a live capture.
 * @throws KsnoopError INVALID_MESSAGE
 */
export function recordingSpec(spec: JsonObject): RecordingSpec | undefined {
  if (spec.storage === undefined) return undefined;
  const destination = optionalString(objectAt(spec, 'storage'), 'destination') ?? '';
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(destination)) throw invalid('storage.destination is a name.');
  const limits = objectAt(spec, 'limits');
  const trigger = spec.trigger === undefined ? undefined : triggerOf(objectAt(spec, 'trigger'));
  const standard = trigger === undefined ? undefined : TRIGGER_RING;
  const ring = limits.ring === undefined ? standard : ringOf(objectAt(limits, 'ring'));
  // What a trigger keeps has its place beside the ring.
  const ringBytes = ring && ring.files * ring.fileBytes * (trigger === undefined ? 1 : 2);
  const maxBytes = limits.bytes === undefined ? (ringBytes ?? RECORDING_BYTES_DEFAULT) : bytesOf(limits.bytes);
  if (ring !== undefined && ring.files * ring.fileBytes > maxBytes) {
    throw invalid('The ring (limits.ring; with a trigger 128Mi by default) has more bytes than limits.bytes.');
  }
  if (ring !== undefined && trigger !== undefined && maxBytes - ring.files * ring.fileBytes < PIECE_BYTES.minimum) {
    throw invalid(
      'limits.bytes leaves no room beside the ring (by default 128Mi) for what the trigger keeps: 1Mi at least.',
    );
  }
  return { destination, ring, maxBytes, trigger };
}

/** @returns undefined where nobody asks for files @throws KsnoopError INVALID_MESSAGE */
export function fetchSpec(spec: JsonObject): FetchSpec | undefined {
  if (spec.fetch === undefined || spec.fetch === null) return undefined;
  const fetch = objectAt(spec, 'fetch');
  const key = optionalString(fetch, 'key') ?? '';
  const user = optionalString(fetch, 'by') ?? '';
  if (key === '' || user === '' || user.length > 512) throw invalid('fetch has a key and a user (by).');
  const strings = (name: string) => arrayAt(fetch, name).filter((item): item is string => typeof item === 'string');
  return {
    key,
    requester: { user, groups: strings('groups'), extra: {} },
    files: strings('files').slice(0, FETCH_FILES),
  };
}

function ringOf(ring: JsonObject): RecordingRing {
  const files = optionalNumber(ring, 'files') ?? 0;
  const fileBytes = optionalNumber(ring, 'fileBytes') ?? 0;
  checkWhole(files, RING_FILES, 'limits.ring.files');
  checkWhole(fileBytes, PIECE_BYTES, 'limits.ring.fileBytes');
  return { files, fileBytes };
}

function triggerOf(trigger: JsonObject): RecordingTrigger {
  const where = optionalString(trigger, 'where') ?? '';
  if (where === '' || where.length > WHERE_MAXIMUM) throw invalid('trigger.where is an expression.');
  const time = (key: 'before' | 'after', standard: number, bounds: Bounds) => {
    const text = optionalString(trigger, key);
    const milliseconds = text === undefined ? standard : (parseDuration(text) ?? Number.NaN);
    checkWhole(milliseconds, bounds, `trigger.${key} (milliseconds)`);
    return milliseconds;
  };
  return {
    where,
    beforeMs: time('before', TRIGGER_BEFORE_DEFAULT_MS, TRIGGER_BEFORE_MS),
    afterMs: time('after', TRIGGER_AFTER_DEFAULT_MS, TRIGGER_AFTER_MS),
  };
}

const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A quantity of Kubernetes: 500000, 10M, 2Gi. */
function bytesOf(value: unknown): number {
  const [, digits, unit] = /^([0-9]{1,15})(k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(String(value)) ?? [];
  const bytes = Number(digits) * (FACTORS[unit ?? ''] ?? Number.NaN);
  checkWhole(bytes, RECORDING_BYTES, 'limits.bytes');
  return bytes;
}

function checkWhole(value: number, { minimum, maximum }: Bounds, name: string): void {
  if (Number.isSafeInteger(value) && value >= minimum && value <= maximum) return;
  throw invalid(`${name} is from ${minimum} to ${maximum}.`);
}

function invalid(message: string): KsnoopError {
  return new KsnoopError('INVALID_MESSAGE', message);
}
