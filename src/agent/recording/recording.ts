import { KsnoopError, messageOf } from '../../wire/errors.ts';
import {
  RECORDING_PIECES,
  type RecordingEndReason,
  type RecordingOrder,
  type RecordingPiece,
  type RecordingState,
  type UploadState,
} from '../../wire/recording.ts';
import { RECORDING_PIECE_BYTES, TRIGGER_STARTS } from '../limits.ts';
import type { Resources } from '../session/resources.ts';
import type { DiskSpace } from './disk-space.ts';
import { PieceStream } from './piece-stream.ts';
import { RecordingCapture, type RecordingCaptureOptions } from './recording-capture.ts';
import type { RecordingFiles } from './recording-files.ts';
import type { StoredRecording } from './stored-recording.ts';
import { TriggerThread } from './trigger-thread.ts';

/** Longest time that a timer of Node takes, milliseconds. */
const TIMER_MAXIMUM_MS = 2 ** 31 - 1;

export interface RecordingOptions {
  readonly files: RecordingFiles;
  readonly resources: Resources;
  readonly targetOf: RecordingCaptureOptions['targetOf'];
  readonly disk: DiskSpace;
  /** Called once, when it has ended. */
  readonly ended: () => void;
}

/** What a recording begins with: new, or as an earlier process has left it. */
export type RecordingBeginning = Pick<StoredRecording, 'order' | 'state' | 'nextPiece' | 'nextKept'>;

/** The recording of one Capture on this node, until it is removed from the disk. */
export class Recording {
  order: RecordingOrder;
  readonly capture: string;
  readonly user: string;
  readonly #options: RecordingOptions;
  #state: RecordingState;
  #pieces: RecordingPiece[];
  readonly #uploads = new Map<string, UploadState>();
  #nextPiece: number;
  #nextKept: number;
  #capturing: RecordingCapture | undefined;
  #stream: PieceStream | undefined;
  #trigger: TriggerThread | undefined;
  #triggerStarts = 0;
  /** Everything was evaluated, and what matched was kept: else the ring's pieces stay at the end. */
  #isTriggerWhole: boolean;
  #ending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor({ order, state, nextPiece, nextKept }: RecordingBeginning, options: RecordingOptions) {
    this.order = order;
    this.capture = state.capture;
    this.user = state.user;
    this.#options = options;
    this.#state = state;
    this.#isTriggerWhole = state.gaps === 0;
    this.#pieces = [...state.pieces];
    for (const { name, upload } of state.pieces) if (upload !== undefined) this.#uploads.set(name, upload);
    this.#nextPiece = nextPiece;
    this.#nextKept = nextKept;
  }

  /** Whether it records or is being finished. */
  get runs(): boolean {
    return this.#state.state === 'recording' || this.#state.state === 'finishing';
  }

  /** Bytes of the disk that it has or may take. */
  get reserved(): number {
    return this.runs ? this.order.maxBytes : this.#pieces.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Bytes that it may still take of the disk. */
  get outstanding(): number {
    const taken = this.#held(false) + this.#held(true) + (this.#stream?.unfinished ?? 0);
    return this.runs ? Math.max(0, this.order.maxBytes - taken) : 0;
  }

  /** Whether it has a trigger that is evaluated. */
  get isTriggered(): boolean {
    return this.runs && this.order.trigger !== undefined;
  }

  get state(): RecordingState {
    const { namespace, name, endsAt } = this.order;
    const pieces = this.#pieces.map((piece) => {
      const { upload: _, ...plain } = piece;
      const upload = this.#uploads.get(piece.name);
      return upload === undefined ? plain : { ...plain, upload };
    });
    return {
      ...this.#state,
      namespace,
      name,
      endsAt,
      pieces,
      pods: this.#capturing?.pods ?? this.#state.pods,
      packets: this.#state.packets + (this.#stream?.packets ?? 0),
      bytes: this.#state.bytes + (this.#stream?.bytes ?? 0),
      dropped: this.#state.dropped + (this.#capturing?.dropped ?? 0),
    };
  }

  /**
   * Begin to record.
   * @param gap what is missing before, a sentence for the first piece
   * @throws KsnoopError BAD_TRIGGER, TOO_MANY_SESSIONS, NO_MEMORY; then nothing is left behind but its files
   */
  async start(gap?: string): Promise<void> {
    const { files, resources, targetOf, disk } = this.#options;
    const { order } = this;
    const excess = tooManyPieces(order, this.#pieces);
    if (excess !== undefined) throw new KsnoopError('RECORDINGS_FULL', excess);
    files.create();
    await this.#startTrigger();
    try {
      const stream = new PieceStream({
        files,
        first: this.#nextPiece,
        fileBytes: order.ring?.fileBytes ?? Math.max(RECORDING_PIECE_BYTES, order.maxBytes / (RECORDING_PIECES - 100)),
        maxBytes: order.ring === undefined ? order.maxBytes - this.#held(false) : Number.POSITIVE_INFINITY,
        gap,
        disk,
        handlers: {
          finished: (piece, isLast) => this.#finished(piece, isLast),
          grew: (piece, from, to) => this.#trigger?.grew(piece, from, to),
          full: () => void this.end('bytes'),
          short: (why) => void this.end('failed', `${why} What was recorded until then stays.`),
          failed: (thrown) => void this.end('failed', `The disk takes no more: ${messageOf(thrown)}.`),
        },
      });
      const owner = { user: this.user, capture: this.capture };
      const capturing = new RecordingCapture({ order, owner, resources, sink: stream.writable, targetOf });
      await capturing.begin();
      this.#stream = stream;
      this.#capturing = capturing;
    } catch (thrown) {
      await this.#trigger?.terminate();
      throw thrown;
    }
    this.#schedule();
    await this.#capturing.follow(order.pods);
    this.store();
  }

  /** Record these pods from now on, until then. */
  async change(order: RecordingOrder): Promise<void> {
    this.order = order;
    this.#schedule();
    await this.#capturing?.follow(order.pods);
    this.store();
  }

  /** End in good order; only the first reason counts. Resolves when its last piece is whole. */
  end(reason: RecordingEndReason, message?: string): Promise<void> {
    if (this.runs && this.#ending === undefined) {
      this.#ending = this.#finish(reason, message).catch((thrown: unknown) => this.#over('failed', messageOf(thrown)));
    }
    return this.#ending ?? Promise.resolve();
  }

  /** End after an error that nothing has caught. */
  fail(thrown: unknown): void {
    void this.end('failed', `The recording ends after an internal error: ${messageOf(thrown)}.`);
  }

  /** End at once; the files stay, and nothing writes them any more. */
  async kill(): Promise<void> {
    clearTimeout(this.#timer);
    this.#capturing?.kill();
    await Promise.all([this.#trigger?.terminate(), this.#stream?.abandon()]);
  }

  /** A finished piece. */
  piece(name: string): RecordingPiece | undefined {
    return this.#pieces.find((piece) => piece.name === name);
  }

  /** How the upload of a piece goes from now on. */
  setUpload(name: string, upload: UploadState): void {
    this.#uploads.set(name, upload);
    this.store();
  }

  /** Write its state to the disk. */
  store(): void {
    const stored: StoredRecording = {
      version: 1,
      order: this.order,
      state: this.state,
      nextPiece: this.#stream?.next ?? this.#nextPiece,
      nextKept: this.#nextKept,
    };
    try {
      this.#options.files.writeState(stored);
    } catch (thrown) {
      if (this.#ending === undefined) void this.end('failed', `The disk takes no more: ${messageOf(thrown)}.`);
    }
  }

  /** Bytes of the pieces that are there. */
  #held(kept: boolean): number {
    return this.#pieces.reduce((sum, piece) => sum + (piece.kept === kept ? piece.bytes : 0), 0);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const left = Math.min(TIMER_MAXIMUM_MS, Math.max(0, this.order.endsAt - Date.now()));
    this.#timer = setTimeout(() => void this.end('duration'), left);
  }

  #finished(piece: RecordingPiece, isLast: boolean): void {
    this.#pieces.push(piece);
    const { ring } = this.order;
    const ofRing = this.#pieces.filter(({ kept }) => !kept);
    // One of the ring's files is being written, or will be.
    const stay = ring === undefined ? ofRing.length : ring.files - (isLast ? 0 : 1);
    const surplus = Math.max(0, ofRing.length - stay);
    for (const { name } of ofRing.slice(0, surplus)) this.#removePiece(name);
    this.store();
    const excess = isLast ? undefined : tooManyPieces(this.order, this.#pieces);
    if (excess !== undefined) void this.end('failed', excess);
  }

  #removePiece(name: string): void {
    this.#pieces = this.#pieces.filter((piece) => piece.name !== name);
    this.#uploads.delete(name);
    this.#trigger?.gone(name);
    this.#options.files.remove(name);
  }

  async #finish(reason: RecordingEndReason, message: string | undefined): Promise<void> {
    clearTimeout(this.#timer);
    this.#state = { ...this.#state, state: 'finishing', reason, ...this.#messageWith(message) };
    await this.#capturing?.stop();
    await this.#stream?.end(reason);
    await this.#trigger?.end();
    if (this.order.trigger !== undefined && this.#isTriggerWhole) {
      for (const { name, kept } of this.#pieces) if (!kept) this.#removePiece(name);
    }
    this.#over(reason);
  }

  /** Its message may have what is wrong with its files already. */
  #messageWith(more: string | undefined): Pick<RecordingState, 'message'> {
    const { message: known } = this.#state;
    return more === undefined ? {} : { message: known === undefined ? more : `${more} ${known}` };
  }

  #over(reason: RecordingEndReason, message?: string): void {
    const endedAt = Date.now();
    const { pods } = this.state;
    this.#state = {
      ...this.state,
      pods: pods.map((pod) => ({ ...pod, capturing: false })),
      state: reason === 'failed' ? 'failed' : 'finished',
      reason,
      ...this.#messageWith(message),
      endedAt,
      removedAt: endedAt + this.order.keepMs,
    };
    this.#nextPiece = this.#stream?.next ?? this.#nextPiece;
    this.#capturing = undefined;
    this.#stream = undefined;
    this.#trigger = undefined;
    this.store();
    this.#options.ended();
  }

  async #startTrigger(): Promise<void> {
    const { trigger, ring, maxBytes } = this.order;
    if (trigger === undefined || ring === undefined) return;
    this.#triggerStarts += 1;
    const { memory } = this.#options.resources;
    const data = {
      directory: this.#options.files.directory,
      trigger,
      keptBytes: maxBytes - ring.files * ring.fileBytes - this.#held(true),
      keptPieces: RECORDING_PIECES - ring.files - this.#pieces.filter(({ kept }) => kept).length,
      nextKept: this.#nextKept,
    };
    this.#trigger = await TriggerThread.start(data, memory, {
      fired: (count) => {
        this.#state = { ...this.#state, triggers: this.#state.triggers + count };
      },
      kept: (piece) => {
        this.#nextKept += 1;
        this.#pieces.push(piece);
        this.store();
      },
      problem: (message) => this.#problem(message),
      died: (why) => this.#triggerDied(why),
    });
  }

  #problem(triggerProblem: string): void {
    this.#state = { ...this.#state, triggerProblem };
    this.store();
  }

  /** The recording goes on; what was not evaluated is still in the ring. */
  #triggerDied(why: string): void {
    this.#trigger = undefined;
    this.#isTriggerWhole = false;
    const at = new Date().toISOString();
    if (this.#ending !== undefined || this.#triggerStarts > TRIGGER_STARTS) {
      this.#problem(`The trigger is not evaluated since ${at}: ${why}.`);
      return;
    }
    this.#problem(`The trigger was not evaluated for a time before ${at}: ${why}.`);
    this.#startTrigger().then(
      () => this.#stream?.restartReader(),
      (thrown) => this.#problem(`The trigger is not evaluated since ${at}: ${messageOf(thrown)}`),
    );
  }
}

/**
 * Why no further piece may be begun, a sentence; undefined where it may. Each restart of the agent begins one. Of a ring older ones are
 * removed, and its trigger keeps no more than there is room for (keptPieces).
 */
function tooManyPieces({ ring }: RecordingOrder, { length }: readonly RecordingPiece[]): string | undefined {
  if (ring !== undefined || length < RECORDING_PIECES - 1) return undefined;
  return `It has ${length} files, and may have ${RECORDING_PIECES}: nothing more is recorded.`;
}

/** The error for a recording that is not there. */
export function noSuchRecording(capture: string): KsnoopError {
  return new KsnoopError('NO_SUCH_RECORDING', `The node has no recording of the Capture with the UID ${capture}.`);
}
