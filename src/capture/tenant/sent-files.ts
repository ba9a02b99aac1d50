import {
  invalid,
  type JsonObject,
  objectAt,
  objectsAt,
  optionalNumber,
  optionalString,
  requireString,
} from '../../wire/guard.ts';
import { PIECE_NAME, type RecordingPiece } from '../../wire/recording.ts';
import { NAME, requireMatch } from '../../wire/ticket-members.ts';
import type { FetchNode } from './fetch-answer.ts';

/** A file of a recording at its destination. */
export interface SentFile {
  /** `NODE-AGENT/PIECE` */
  readonly name: string;
  readonly node: string;
  readonly sha256: string;
  readonly bytes: number;
  /** Nanoseconds since 1970; 0 without packets. */
  readonly first: bigint;
  /** Where it is and the others are, without a signature; undefined where the agent names it. */
  readonly directory?: string;
}

/** What a status has of the files at their destination. */
export interface SentFiles {
  /** Those that are named: the newest. */
  readonly files: readonly SentFile[];
  /** How many there are; infinite where a controller of an earlier version has named as many as it may. */
  readonly sent: number;
  /** Finished files that are not there yet. */
  readonly waiting: number;
}

/** Files that a status names (daemonset/captures/crd.yaml). */
const FILES_NAMED = 1_000;

/** `status.files` and `status.counters` of a recording that goes to a destination. @throws KsnoopError INVALID_MESSAGE */
export function sentFiles(status: JsonObject): SentFiles {
  const all = objectsAt(status, 'files');
  const files = all.flatMap((file) => {
    const where = "Capture's status.files";
    const name = requireString(file, 'name', where, 320);
    const [directory = '', piece = '', ...more] = name.split('/');
    if (!NAME.test(directory) || !PIECE_NAME.test(piece) || more.length > 0) {
      throw invalid(where, 'has a file whose name is none of a recording');
    }
    const url = optionalString(file, 'url');
    if (url === undefined) return [];
    return [
      {
        name,
        node: requireMatch(file, 'node', where, NAME),
        sha256: requireMatch(file, 'sha256', where, /^[0-9a-f]{64}$/),
        bytes: optionalNumber(file, 'bytes') ?? 0,
        first: BigInt(Date.parse(optionalString(file, 'first') ?? '') || 0) * 1_000_000n,
        directory: url.slice(0, -name.length),
      },
    ];
  });
  const counters = objectAt(status, 'counters');
  const sent = optionalNumber(counters, 'sent') ?? (all.length < FILES_NAMED ? files.length : Number.POSITIVE_INFINITY);
  const finished = optionalNumber(counters, 'files') ?? all.length;
  return { files, sent, waiting: Math.max(0, finished - (Number.isFinite(sent) ? sent : files.length)) };
}

/** A piece that its agent has sent. */
export function sentPiece(node: FetchNode, piece: RecordingPiece): SentFile {
  const { sha256, bytes, first } = piece;
  return { name: pieceFile(node, piece), node: node.node, sha256, bytes, first: BigInt(first ?? '0') };
}

/** `NODE-AGENT/PIECE`: another agent of the same node counts from the beginning. */
export function pieceFile({ node, agent }: FetchNode, { name }: RecordingPiece): string {
  return `${node}-${agent.uid.slice(0, 8)}/${name}`;
}
