import type { Bounds } from './guard.ts';
import { NAME, UID } from './ticket-members.ts';

/**
 * Recordings on a node: what the controller orders, and what an agent answers. HTTP/1.1 (RFC 9112) over a connection to the agent's port:
 * `PUT /recordings/UID`, `GET /recordings`, and so on (RECORDING_PATHS); bodies are JSON.
 */

/** Bytes of a body, either way. */
export const RECORDING_BODY_MAXIMUM = 512 * 1024;

/** Pods of one recording on one node. */
export const RECORDING_PODS = 256;

/** Pieces of one recording on one node: of its ring, and those that were kept. */
export const RECORDING_PIECES = 1_000;

/** Bytes of a piece, and pieces of a ring. */
export const PIECE_BYTES: Bounds = { minimum: 1024 * 1024, maximum: 1024 * 1024 * 1024 };
export const RING_FILES: Bounds = { minimum: 2, maximum: 500 };

/** Bytes of one recording on one node. */
export const RECORDING_BYTES: Bounds = { minimum: 1024 * 1024, maximum: 1024 * 1024 * 1024 * 1024 };

/** Milliseconds before and after an exchange that its trigger keeps. */
export const TRIGGER_BEFORE_MS: Bounds = { minimum: 0, maximum: 3_600_000 };
export const TRIGGER_AFTER_MS: Bounds = { minimum: 0, maximum: 600_000 };

/** Characters of a trigger's expression. */
export const WHERE_MAXIMUM = 4_096;

/** How long the pieces of a recording that has ended stay on the node's disk, milliseconds. */
export const KEEP_MS: Bounds = { minimum: 60_000, maximum: 7 * 24 * 3_600_000 };

/** Further tickets in an order, for more pods than one names. */
export const ORDER_TICKETS = 6;

/** Of an upload: characters of its URL, headers, and of the certificate authorities (PEM). */
export const UPLOAD_URL_MAXIMUM = 8_192;
export const UPLOAD_HEADERS = 16;
export const UPLOAD_CA_MAXIMUM = 64 * 1024;

/** A pod to be recorded, found by its UID alone. */
export interface RecordingPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly hostNetwork: boolean;
}

/** Pieces that are replaced in turn: the last `files` of them exist. */
export interface RecordingRing {
  readonly files: number;
  readonly fileBytes: number;
}

/** Packets around an exchange that matches are kept. */
export interface RecordingTrigger {
  /** CEL over the fields of docs/json.md. Names of pods and Services are not known on the node. */
  readonly where: string;
  /** Milliseconds before the exchange's first packet and after its last one. */
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** The body of `PUT /recordings/UID`: what one node records for a Capture. The same order again changes nothing. */
export interface RecordingOrder {
  /** Of the Capture, for people and for lists. */
  readonly namespace: string;
  readonly name: string;
  /** All pods of the node that are to be recorded from now on: others are no longer. */
  readonly pods: readonly RecordingPod[];
  /** Capture filter, as in the ticket; empty for none. */
  readonly filter: string;
  /** Bytes kept of each packet, as in the ticket. */
  readonly snaplen: number;
  /** Milliseconds since 1970: the ticket's `until` at the latest. */
  readonly endsAt: number;
  /**
   * Bytes of all its pieces on this node's disk, those of the ring included; they are reserved when it starts. A recording
   * without a ring ends when they are full. With a trigger, kept pieces have what the ring leaves.
   */
  readonly maxBytes: number;
  /** Left out: pieces are added until `maxBytes`. A trigger needs one. */
  readonly ring?: RecordingRing;
  readonly trigger?: RecordingTrigger;
  /** How long its pieces stay on the disk after its end. */
  readonly keepMs: number;
  /** Further signed tickets, base64url, where the pods are more than one names. */
  readonly tickets?: readonly string[];
}

/** The body of `POST /recordings/UID/stop`. */
export interface RecordingStop {
  readonly reason: 'stopped' | 'withdrawn';
}

/** The body of `POST /recordings/UID/pieces/NAME/upload`: the piece is sent by PUT. Agents have no credentials. */
export interface RecordingUpload {
  /** A presigned URL (http or https). The agent follows no redirect. */
  readonly url: string;
  /** Names in lower case: `x-amz-…` and `content-type`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Certificate authorities (PEM) in place of the system's. */
  readonly ca?: string;
}

/** The name of a destination, and of the volume of an agent that is one. */
export const DESTINATION_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** How the URL of a file on a claim begins: `pvc://CLAIM/PATH`. */
export const CLAIM_SCHEME = 'pvc://';

/** Another body of the same request: the piece is copied to a volume that the administrator has mounted into the agent. */
export interface RecordingCopy {
  /** Of the destination. */
  readonly volume: string;
  /** `NODE-AGENT`: where in the recording's own directory. */
  readonly directory: string;
}

/** A file of a recording on a volume: `NAMESPACE/NAME-UID/DIRECTORY/PIECE`. */
export interface StoredFile {
  readonly volume: string;
  /** Of the Capture. */
  readonly namespace: string;
  readonly name: string;
  readonly directory: string;
  readonly piece: string;
}

export const RECORDING_STATES = ['recording', 'finishing', 'finished', 'failed'] as const;
export const RECORDING_END_REASONS = ['stopped', 'withdrawn', 'duration', 'bytes', 'failed'] as const;
export type RecordingEndReason = (typeof RECORDING_END_REASONS)[number];

/** How an upload goes. */
export interface UploadState {
  readonly state: 'running' | 'done' | 'failed';
  /** Why it failed, a sentence. */
  readonly message?: string;
  readonly etag?: string;
}

/** A file of pcapng that can be read by itself. */
export interface RecordingPiece {
  /** `00012.pcapng`, or `kept-00003.pcapng` for packets around exchanges that matched the trigger. */
  readonly name: string;
  readonly bytes: number;
  /** SHA-256, hex. */
  readonly sha256: string;
  readonly packets: number;
  /** Times of the earliest and the latest packet, nanoseconds since 1970 in decimal; null without packets. */
  readonly first: string | null;
  readonly last: string | null;
  /** Packets around exchanges that matched. Packets of other pieces of the recording may be in it too. */
  readonly kept: boolean;
  readonly upload?: UploadState;
}

export interface RecordedPod {
  readonly uid: string;
  readonly capturing: boolean;
  /** Why it is not, or not yet, captured; a sentence. */
  readonly message?: string;
}

/** What an agent reports of one recording. Counts are of whole packets. */
export interface RecordingState {
  /** UID of the Capture. */
  readonly capture: string;
  readonly namespace: string;
  readonly name: string;
  readonly user: string;
  readonly state: (typeof RECORDING_STATES)[number];
  /** Why it has ended or ends. */
  readonly reason?: RecordingEndReason;
  /** What went wrong last, a sentence. */
  readonly message?: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endsAt: number;
  readonly endedAt?: number;
  readonly pods: readonly RecordedPod[];
  readonly packets: number;
  /** Bytes written, those of pieces that were replaced included. */
  readonly bytes: number;
  /** Packets that the kernel or the agent has dropped. */
  readonly dropped: number;
  /** Exchanges that matched the trigger. */
  readonly triggers: number;
  /** Why exchanges were not evaluated, or packets not kept, a sentence. */
  readonly triggerProblem?: string;
  /** How often it was interrupted, and began again in a new piece that states the gap. */
  readonly gaps: number;
  /** Those that are finished. */
  readonly pieces: readonly RecordingPiece[];
  /** When its pieces are removed from the disk, milliseconds since 1970; after its end. */
  readonly removedAt?: number;
}

/** One line of `GET /recordings`. */
export interface ListedRecording {
  readonly capture: string;
  readonly namespace: string;
  readonly name: string;
  readonly state: RecordingState['state'];
  readonly endsAt: number;
}

/** The names of pieces. */
export const PIECE_NAME = /^(kept-)?[0-9]{5,9}\.pcapng$/;

/** A request's path, read. */
export type RecordingPath =
  | { readonly kind: 'list' }
  | { readonly kind: 'recording'; readonly capture: string }
  | { readonly kind: 'stop'; readonly capture: string }
  | { readonly kind: 'piece'; readonly capture: string; readonly piece: string }
  | { readonly kind: 'upload'; readonly capture: string; readonly piece: string }
  | { readonly kind: 'stored'; readonly capture: string; readonly file: StoredFile };

const RECORDING_PATH = /^\/recordings(?:\/([^/]+)(?:\/(stop)|\/pieces\/([^/]+?)(\/upload)?)?)?$/;

const STORED_PATH = /^\/recordings\/([^/]+)\/stored\/([^/]+)\/([^/]+)\/([^/]+)\/([^/]+)\/([^/]+)$/;

/** Whether a request's path is one of recordings, valid or not. */
export function isRecordingPath(path: string): boolean {
  return path === '/recordings' || path.startsWith('/recordings/');
}

/** Read a path; undefined for one that is not known. */
export function parseRecordingPath(path: string): RecordingPath | undefined {
  const stored = STORED_PATH.exec(path);
  if (stored !== null) return parseStoredPath(stored);
  const [whole, capture, stop, piece, upload] = RECORDING_PATH.exec(path) ?? [];
  if (whole === undefined) return undefined;
  if (capture === undefined) return { kind: 'list' };
  if (!UID.test(capture)) return undefined;
  if (stop !== undefined) return { kind: 'stop', capture };
  if (piece === undefined) return { kind: 'recording', capture };
  if (!PIECE_NAME.test(piece)) return undefined;
  return { kind: upload === undefined ? 'piece' : 'upload', capture, piece };
}

function parseStoredPath([
  ,
  capture = '',
  volume = '',
  namespace = '',
  name = '',
  directory = '',
  piece = '',
]: readonly string[]): RecordingPath | undefined {
  const isNamed = [namespace, name, directory].every((part) => NAME.test(part)) && DESTINATION_NAME.test(volume);
  if (!UID.test(capture) || !isNamed || !PIECE_NAME.test(piece)) return undefined;
  return { kind: 'stored', capture, file: { volume, namespace, name, directory, piece } };
}

/** The path of a request. */
export function recordingPath(path: RecordingPath): string {
  if (path.kind === 'list') return '/recordings';
  const base = `/recordings/${path.capture}`;
  if (path.kind === 'recording') return base;
  if (path.kind === 'stored') {
    const { volume, namespace, name, directory, piece } = path.file;
    return `${base}/stored/${volume}/${namespace}/${name}/${directory}/${piece}`;
  }
  if (path.kind === 'stop') return `${base}/stop`;
  return `${base}/pieces/${path.piece}${path.kind === 'upload' ? '/upload' : ''}`;
}
