import type { RecordingPiece, RecordingTrigger } from '../../wire/recording.ts';

/** What a thread that evaluates a recording's trigger is started with. */
export interface TriggerData {
  /** The directory of the recording. */
  readonly directory: string;
  readonly trigger: RecordingTrigger;
  /** Bytes that pieces which it makes may have in all, and how many of them there may be. */
  readonly keptBytes: number;
  readonly keptPieces: number;
  /** The number of its first piece. */
  readonly nextKept: number;
}

/** What the thread learns. */
export type TriggerControl =
  /** Blocks of the stream are written to a piece: bytes `from` to `to`. */
  | { readonly type: 'grew'; readonly piece: string; readonly from: number; readonly to: number }
  /** A piece of the ring was removed. */
  | { readonly type: 'gone'; readonly piece: string }
  /** No more comes: keep what is to be kept, and report `done`. */
  | { readonly type: 'end' };

/** What it reports. */
export type TriggerReport =
  | { readonly type: 'ready' }
  /** The expression cannot be evaluated here: a sentence. */
  | { readonly type: 'refused'; readonly message: string; readonly hint: string | undefined }
  /** It has taken `bytes` of the stream so far, in all `grew`. */
  | { readonly type: 'taken'; readonly bytes: number }
  | { readonly type: 'fired'; readonly count: number }
  | { readonly type: 'kept'; readonly piece: RecordingPiece }
  /** Packets were not evaluated or not kept: a sentence. */
  | { readonly type: 'problem'; readonly message: string }
  | { readonly type: 'done' };
