import { parseJson, requireInteger, requireObject, requireString } from '../../wire/guard.ts';
import {
  RECORDING_PIECES,
  type RecordingOrder,
  type RecordingPiece,
  type RecordingState,
} from '../../wire/recording.ts';
import { parseRecordingOrder } from '../../wire/recording-order.ts';
import { parseRecordingState } from '../../wire/recording-state.ts';
import { TIME } from '../../wire/ticket-members.ts';
import type { RecordingFiles } from './recording-files.ts';

/** What is on the disk of a recording besides its pieces: as much as a process that finds it needs to go on. */
export interface StoredRecording {
  readonly version: 1;
  readonly order: RecordingOrder;
  readonly state: RecordingState;
  /** Numbers of the next pieces. */
  readonly nextPiece: number;
  readonly nextKept: number;
}

/** Read a recording's state as it was stored. @throws KsnoopError INVALID_MESSAGE, or the system's error */
export function readStored(files: RecordingFiles): StoredRecording {
  const where = 'state of a recording';
  const object = requireObject(parseJson(files.readState(), where), where);
  requireInteger(object, 'version', where, { minimum: 1, maximum: 1 });
  return {
    version: 1,
    order: parseRecordingOrder(
      requireString({ order: JSON.stringify(object.order) }, 'order', where, Number.MAX_SAFE_INTEGER),
    ),
    state: parseRecordingState(JSON.stringify(object.state)),
    nextPiece: requireInteger(object, 'nextPiece', where, TIME),
    nextKept: requireInteger(object, 'nextKept', where, TIME),
  };
}

/**
 * The pieces of a recording that a process has left behind: those that are as they were when they were finished, and those that it
 * could not finish.
 * @returns in the order of their names
 */
export async function recoverPieces(
  files: RecordingFiles,
  known: readonly RecordingPiece[],
): Promise<RecordingPiece[]> {
  const pieces: RecordingPiece[] = [];
  for (const name of files.pieces().slice(0, RECORDING_PIECES)) {
    const finished = known.find((piece) => piece.name === name && piece.bytes === files.size(name));
    const piece = finished === undefined ? await files.recover(name) : withoutUpload(finished);
    if (piece !== undefined) pieces.push(piece);
  }
  return pieces;
}

/** An upload that was under way when the process ended is not any more. */
function withoutUpload(piece: RecordingPiece): RecordingPiece {
  if (piece.upload?.state !== 'running') return piece;
  const { upload: _, ...rest } = piece;
  return rest;
}
