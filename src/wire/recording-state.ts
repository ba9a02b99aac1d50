import {
  arrayAt,
  invalid,
  type JsonObject,
  optionalNumber,
  optionalString,
  parseJson,
  requireInteger,
  requireObject,
  requireString,
} from './guard.ts';
import { SENTENCE_MAXIMUM } from './limits.ts';
import {
  type ListedRecording,
  PIECE_NAME,
  RECORDING_END_REASONS,
  RECORDING_PIECES,
  RECORDING_PODS,
  RECORDING_STATES,
  type RecordedPod,
  type RecordingPiece,
  type RecordingState,
  type UploadState,
} from './recording.ts';
import { NAME, requireBoolean, requireMatch, TIME, UID } from './ticket-members.ts';

/** Read an agent's answer about one recording. @throws KsnoopError INVALID_MESSAGE */
export function parseRecordingState(text: string): RecordingState {
  const where = "agent's answer about a recording";
  const object = requireObject(parseJson(text, where), where);
  const reason = RECORDING_END_REASONS.find((known) => known === object.reason);
  const pieces = arrayAt(object, 'pieces');
  if (pieces.length > RECORDING_PIECES + 1) throw invalid(where, `has ${pieces.length} pieces`);
  const pods = arrayAt(object, 'pods');
  if (pods.length > RECORDING_PODS) throw invalid(where, `has ${pods.length} pods`);
  return {
    ...parseListed(object, where),
    user: requireString(object, 'user', where, SENTENCE_MAXIMUM),
    ...(reason !== undefined && { reason }),
    ...sentenceAt(object, 'message'),
    startedAt: requireInteger(object, 'startedAt', where, TIME),
    ...timeAt(object, 'endedAt'),
    pods: pods.map((pod) => parseRecordedPod(pod, where)),
    packets: requireInteger(object, 'packets', where, TIME),
    bytes: requireInteger(object, 'bytes', where, TIME),
    dropped: requireInteger(object, 'dropped', where, TIME),
    triggers: requireInteger(object, 'triggers', where, TIME),
    ...sentenceAt(object, 'triggerProblem'),
    gaps: requireInteger(object, 'gaps', where, TIME),
    pieces: pieces.map((piece) => parseRecordingPiece(piece, where)),
    ...timeAt(object, 'removedAt'),
  };
}

/** Read an agent's list of recordings. @throws KsnoopError INVALID_MESSAGE */
export function parseRecordingList(text: string): ListedRecording[] {
  const where = "agent's list of recordings";
  const { recordings } = requireObject(parseJson(text, where), where);
  if (!Array.isArray(recordings)) throw invalid(where, 'has no recordings');
  return recordings.map((item) => parseListed(requireObject(item, where), where));
}

/** Read a piece, also from the disk. @throws KsnoopError INVALID_MESSAGE */
export function parseRecordingPiece(value: unknown, where: string): RecordingPiece {
  const piece = requireObject(value, `${where}, a piece`);
  return {
    name: requireMatch(piece, 'name', where, PIECE_NAME),
    bytes: requireInteger(piece, 'bytes', where, TIME),
    sha256: requireMatch(piece, 'sha256', where, /^[0-9a-f]{64}$/),
    packets: requireInteger(piece, 'packets', where, TIME),
    first: parseNanoseconds(piece.first, where),
    last: parseNanoseconds(piece.last, where),
    kept: requireBoolean(piece, 'kept', where),
    ...(piece.upload !== undefined && { upload: parseUploadState(piece.upload, where) }),
  };
}

function parseUploadState(value: unknown, where: string): UploadState {
  const object = requireObject(value, `${where}, an upload`);
  const { state } = object;
  if (state !== 'running' && state !== 'done' && state !== 'failed') throw invalid(where, 'has an unknown upload');
  const etag = optionalString(object, 'etag')?.slice(0, 256);
  return { state, ...sentenceAt(object, 'message'), ...(etag !== undefined && { etag }) };
}

function parseListed(object: JsonObject, where: string): ListedRecording {
  const state = RECORDING_STATES.find((known) => known === object.state);
  if (state === undefined) throw invalid(where, 'has an unknown state');
  return {
    capture: requireMatch(object, 'capture', where, UID),
    namespace: requireMatch(object, 'namespace', where, NAME),
    name: requireMatch(object, 'name', where, NAME),
    state,
    endsAt: requireInteger(object, 'endsAt', where, TIME),
  };
}

function parseRecordedPod(value: unknown, where: string): RecordedPod {
  const pod = requireObject(value, `${where}, a pod`);
  return {
    uid: requireMatch(pod, 'uid', where, UID),
    capturing: requireBoolean(pod, 'capturing', where),
    ...sentenceAt(pod, 'message'),
  };
}

function parseNanoseconds(value: unknown, where: string): string | null {
  if (value === null) return null;
  if (typeof value === 'string' && /^[0-9]{1,20}$/.test(value)) return value;
  throw invalid(where, 'has a piece with an unusable time');
}

function sentenceAt<Key extends string>(object: JsonObject, key: Key): { [key in Key]?: string } {
  const text = optionalString(object, key)?.slice(0, SENTENCE_MAXIMUM);
  return (text === undefined ? {} : { [key]: text }) as { [key in Key]?: string };
}

function timeAt<Key extends string>(object: JsonObject, key: Key): { [key in Key]?: number } {
  const time = optionalNumber(object, key);
  return (time === undefined ? {} : { [key]: time }) as { [key in Key]?: number };
}
