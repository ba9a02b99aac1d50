import { systemCode } from '../../wire/errors.ts';
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

/** What a process has left behind of a recording's pieces. */
export interface RecoveredPieces {
  /** In the order of their names; of a ring only as many as it has. */
  readonly pieces: readonly RecordingPiece[];
  /** Names of files that stay on the disk and are no pieces, because they cannot be read, or are too many. */
  readonly others: readonly string[];
  /** Numbers that no file has. */
  readonly nextPiece: number;
  readonly nextKept: number;
}

/**
 * The pieces of a recording that a process has left behind: those that are as they were when they were finished, and those that it
 * could not finish. A file in a damaged part of the disk (EIO) does not keep the others from being read.
 * @param ring files that the recording's ring may have; undefined without one, or where the recording has ended
 * @throws the system's error where a file cannot be read for another reason, which may pass
 */
export async function recoverPieces(
  files: RecordingFiles,
  known: readonly RecordingPiece[],
  ring?: number,
): Promise<RecoveredPieces> {
  const names = files.pieces();
  const surplus = ring === undefined ? [] : names.filter((name) => !isKept(name)).slice(0, -ring);
  for (const name of surplus) files.remove(name);
  const pieces: RecordingPiece[] = [];
  const others: string[] = [];
  for (const name of names) {
    if (surplus.includes(name)) continue;
    const piece = pieces.length < RECORDING_PIECES ? await recovered(files, name, known) : 'unread';
    if (piece === 'unread') others.push(name);
    else if (piece !== undefined) pieces.push(piece);
  }
  const next = (kept: boolean) =>
    names.filter((name) => isKept(name) === kept).reduce((last, name) => Math.max(last, numberOf(name) + 1), 1);
  return { pieces, others, nextPiece: next(false), nextKept: next(true) };
}

async function recovered(
  files: RecordingFiles,
  name: string,
  known: readonly RecordingPiece[],
): Promise<RecordingPiece | 'unread' | undefined> {
  const finished = known.find((piece) => piece.name === name && piece.bytes === files.size(name));
  if (finished !== undefined) return withoutUpload(finished);
  try {
    return await files.recover(name);
  } catch (thrown) {
    if (systemCode(thrown) === 'EIO') return 'unread';
    throw thrown;
  }
}

const isKept = (name: string) => name.startsWith('kept-');

/** The number in a piece's name. */
function numberOf(name: string): number {
  return Number(/\d+/.exec(name)?.[0] ?? 0);
}

/** An upload that was under way when the process ended is not any more. */
function withoutUpload(piece: RecordingPiece): RecordingPiece {
  if (piece.upload?.state !== 'running') return piece;
  const { upload: _, ...rest } = piece;
  return rest;
}
