import type { ClaimDestination } from '../../capture/install/claim-destination.ts';
import type { PodView } from '../../capture/kube/pod.ts';
import {
  CLAIM_SCHEME,
  type RecordingCopy,
  type RecordingPiece,
  type RecordingState,
  type RecordingUpload,
} from '../../wire/recording.ts';
import type { CaptureView } from '../capture-object.ts';
import type { Destination } from './destinations.ts';
import { UPLOAD_URL_S } from './limits.ts';
import { objectUrl, presign } from './presign.ts';

/** Where the files of one node's recording are in a bucket: no two agents write the same object. */
export function objectKey({ prefix }: Destination, { namespace, name, uid }: CaptureView, file: string): string {
  return `${prefix}${namespace}/${name}-${uid}/${file}`;
}

/** Where a file is, without a signature: of a claim, `pvc://CLAIM/NAMESPACE/NAME-UID/NODE-AGENT/PIECE`. */
export function fileUrl(destination: Destination | ClaimDestination, capture: CaptureView, file: string): string {
  if ('claim' in destination) {
    const { namespace, name, uid } = capture;
    return `${CLAIM_SCHEME}${destination.claim}/${namespace}/${name}-${uid}/${file}`;
  }
  return objectUrl(destination.bucket, objectKey(destination, capture, file)).href;
}

/** What lets an agent have a file where it belongs. @param now milliseconds since 1970 */
export function sendingOf(
  destination: Destination | ClaimDestination,
  capture: CaptureView,
  { agent, piece, now }: { readonly agent: PodView; readonly piece: RecordingPiece; readonly now: number },
): RecordingUpload | RecordingCopy {
  if ('claim' in destination) return { volume: destination.name, directory: agentDirectory(agent) };
  return uploadOf(destination, capture, { file: fileName(agent, piece.name), piece, now });
}

/** Name of a file in a status and at its destination: with the agent, because another one of the same node counts from the beginning. */
export function fileName(agent: Pick<PodView, 'nodeName' | 'uid'>, piece: string): string {
  return `${agentDirectory(agent)}/${piece}`;
}

function agentDirectory({ nodeName, uid }: Pick<PodView, 'nodeName' | 'uid'>): string {
  return `${nodeName}-${uid.slice(0, 8)}`;
}

/** What lets an agent send one file, and only this one: S3 compares the checksum. @param now milliseconds since 1970 */
export function uploadOf(
  destination: Destination,
  capture: CaptureView,
  { file, piece, now }: { readonly file: string; readonly piece: RecordingPiece; readonly now: number },
): RecordingUpload {
  const headers = { 'x-amz-checksum-sha256': Buffer.from(piece.sha256, 'hex').toString('base64') };
  const key = objectKey(destination, capture, file);
  const url = presign(destination.bucket, { method: 'PUT', key, expiresS: UPLOAD_URL_S, headers, now });
  return { url: url.href, headers, ...(destination.ca !== undefined && { ca: destination.ca }) };
}

/**
 * The pieces that are results of a recording. Those of a ring are results once it has ended; where a trigger decides, only the kept
 * ones are.
 */
export function resultsOf(capture: CaptureView, state: RecordingState): RecordingPiece[] {
  const { trigger } = capture.recording ?? {};
  return trigger === undefined ? [...state.pieces] : state.pieces.filter(({ kept }) => kept);
}

/** Results that are to be sent to a destination now: not those that a ring may still replace. */
export function sentOf(capture: CaptureView, state: RecordingState): RecordingPiece[] {
  const { ring, trigger } = capture.recording ?? {};
  const mayGo = ring !== undefined && trigger === undefined && state.state === 'recording';
  return mayGo ? [] : resultsOf(capture, state);
}
