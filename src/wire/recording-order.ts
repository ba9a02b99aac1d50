import { arrayAt, invalid, isObject, parseJson, requireInteger, requireObject, requireString } from './guard.ts';
import {
  DESTINATION_NAME,
  KEEP_MS,
  ORDER_TICKETS,
  PIECE_BYTES,
  RECORDING_BYTES,
  RECORDING_PODS,
  type RecordingCopy,
  type RecordingOrder,
  type RecordingPod,
  type RecordingRing,
  type RecordingStop,
  type RecordingTrigger,
  type RecordingUpload,
  RING_FILES,
  TRIGGER_AFTER_MS,
  TRIGGER_BEFORE_MS,
  UPLOAD_CA_MAXIMUM,
  UPLOAD_HEADERS,
  UPLOAD_URL_MAXIMUM,
  WHERE_MAXIMUM,
} from './recording.ts';
import { NAME, requireBoolean, requireFilter, requireMatch, TIME, UID } from './ticket-members.ts';

/** @throws KsnoopError INVALID_MESSAGE naming the member at fault */
export function parseRecordingOrder(text: string): RecordingOrder {
  const where = 'recording order';
  const object = requireObject(parseJson(text, where), where);
  const pods = arrayAt(object, 'pods').map((pod) => parsePod(pod, where));
  if (pods.length > RECORDING_PODS) throw invalid(where, `names ${pods.length} pods, more than ${RECORDING_PODS}`);
  if (new Set(pods.map(({ uid }) => uid)).size < pods.length) throw invalid(where, 'names a pod twice');
  const maxBytes = requireInteger(object, 'maxBytes', where, RECORDING_BYTES);
  const ring = object.ring === undefined ? undefined : parseRing(object.ring, where);
  if (ring !== undefined && ring.files * ring.fileBytes > maxBytes) {
    throw invalid(where, 'has a ring of more bytes than maxBytes');
  }
  const trigger = object.trigger === undefined ? undefined : parseTrigger(object.trigger, where);
  if (trigger !== undefined && ring === undefined) throw invalid(where, 'has a trigger without a ring');
  const tickets = arrayAt(object, 'tickets');
  if (tickets.length > ORDER_TICKETS) throw invalid(where, `has more than ${ORDER_TICKETS} further tickets`);
  return {
    namespace: requireMatch(object, 'namespace', where, NAME),
    name: requireMatch(object, 'name', where, NAME),
    pods,
    ...requireFilter(object, where),
    endsAt: requireInteger(object, 'endsAt', where, TIME),
    maxBytes,
    ...(ring !== undefined && { ring }),
    ...(trigger !== undefined && { trigger }),
    keepMs: requireInteger(object, 'keepMs', where, KEEP_MS),
    ...(tickets.length > 0 && {
      tickets: tickets.map((ticket) => requireString({ ticket }, 'ticket', where, 16_384)),
    }),
  };
}

/** @throws KsnoopError INVALID_MESSAGE */
export function parseRecordingStop(text: string): RecordingStop {
  const where = 'recording stop';
  const { reason } = requireObject(parseJson(text, where), where);
  if (reason === 'stopped' || reason === 'withdrawn') return { reason };
  throw invalid(where, 'has no usable reason (stopped or withdrawn)');
}

const UPLOAD_HEADER = /^(x-amz-[a-z0-9-]{1,64}|content-type)$/;

/** @throws KsnoopError INVALID_MESSAGE */
export function parseRecordingUpload(text: string): RecordingUpload | RecordingCopy {
  const where = 'recording upload';
  const object = requireObject(parseJson(text, where), where);
  if (object.volume !== undefined) {
    const volume = requireMatch(object, 'volume', where, DESTINATION_NAME);
    return { volume, directory: requireMatch(object, 'directory', where, NAME) };
  }
  const url = requireString(object, 'url', where, UPLOAD_URL_MAXIMUM);
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.password !== '') {
    throw invalid(where, 'has no usable url (http or https, without user and password)');
  }
  const given = isObject(object.headers) ? Object.entries(object.headers) : [];
  if (given.length > UPLOAD_HEADERS) throw invalid(where, `has more than ${UPLOAD_HEADERS} headers`);
  const headers = given.map(([name, value]) => {
    if (UPLOAD_HEADER.test(name) && typeof value === 'string' && /^[\x20-\x7e]{0,1024}$/.test(value)) {
      return [name, value] as const;
    }
    throw invalid(where, 'has a header that is not x-amz-… or content-type');
  });
  const ca = object.ca === undefined ? undefined : requireString(object, 'ca', where, UPLOAD_CA_MAXIMUM);
  return { url, headers: Object.fromEntries(headers), ...(ca !== undefined && { ca }) };
}

function parsePod(value: unknown, where: string): RecordingPod {
  const pod = requireObject(value, `${where}, a pod`);
  return {
    namespace: requireMatch(pod, 'namespace', where, NAME),
    name: requireMatch(pod, 'name', where, NAME),
    uid: requireMatch(pod, 'uid', where, UID),
    hostNetwork: requireBoolean(pod, 'hostNetwork', where),
  };
}

function parseRing(value: unknown, where: string): RecordingRing {
  const ring = requireObject(value, `${where}'s ring`);
  return {
    files: requireInteger(ring, 'files', `${where}'s ring`, RING_FILES),
    fileBytes: requireInteger(ring, 'fileBytes', `${where}'s ring`, PIECE_BYTES),
  };
}

function parseTrigger(value: unknown, where: string): RecordingTrigger {
  const trigger = requireObject(value, `${where}'s trigger`);
  return {
    where: requireString(trigger, 'where', `${where}'s trigger`, WHERE_MAXIMUM),
    beforeMs: requireInteger(trigger, 'beforeMs', `${where}'s trigger`, TRIGGER_BEFORE_MS),
    afterMs: requireInteger(trigger, 'afterMs', `${where}'s trigger`, TRIGGER_AFTER_MS),
  };
}
