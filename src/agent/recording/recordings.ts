import type { CapturedCount } from '../../wire/captured-count.ts';
import { KsnoopError, messageOf, systemCode } from '../../wire/errors.ts';
import { Gate } from '../../wire/gate.ts';
import type {
  ListedRecording,
  RecordingCopy,
  RecordingOrder,
  RecordingState,
  RecordingStop,
  RecordingUpload,
  StoredFile,
} from '../../wire/recording.ts';
import { UPLOADS } from '../limits.ts';
import type { Resources } from '../session/resources.ts';
import { admitRecording } from './admission.ts';
import { DiskSpace } from './disk-space.ts';
import { noSuchRecording, Recording, type RecordingBeginning } from './recording.ts';
import { type RecordingCaptureOptions, recordingTarget } from './recording-capture.ts';
import { RecordingFiles } from './recording-files.ts';
import { readStored, recoverPieces } from './stored-recording.ts';
import { UnreadRecordings } from './unread.ts';
import { putFile } from './upload.ts';
import type { Volumes } from './volumes.ts';

export interface RecordingsOptions {
  /** The directory of all recordings. */
  readonly root: string;
  /** Bytes of all recordings. */
  readonly bytes: number;
  /** Bytes of the disk that they leave free; left out: a share of it. */
  readonly freeBytes?: number | undefined;
  /** Where copies of files go. */
  readonly volumes: Volumes;
  readonly resources: Resources;
  readonly log: (text: string) => void;
  /** Runs a task so that an exception in it, now or later, ends its recording alone. */
  readonly protect: <Result>(owner: { fail(thrown: unknown): void }, task: () => Result) => Result;
  /** What is captured for a pod; left out: the pod of that UID. */
  readonly targetOf?: RecordingCaptureOptions['targetOf'];
}

/** All recordings of this node. They need no session: what ends one is its order, or who may stop it. */
export class Recordings {
  readonly #options: RecordingsOptions;
  readonly #recordings = new Map<string, Recording>();
  readonly #removals = new Map<string, NodeJS.Timeout>();
  /** What is under way for a Capture, one after the other. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #uploads = new Map<string, AbortController>();
  readonly #uploadGate = new Gate(UPLOADS);
  readonly #unread = new UnreadRecordings();
  readonly #disk: DiskSpace;
  #loaded: Promise<void> = Promise.resolve();

  constructor(options: RecordingsOptions) {
    this.#options = options;
    this.#disk = new DiskSpace(options.root, options.freeBytes);
  }

  /** Resolves when what an earlier process has left behind is known: before, an order could begin a recording anew. */
  get loaded(): Promise<void> {
    return this.#loaded;
  }

  /** Go on with what an earlier process of this pod has left behind. */
  load(): Promise<void> {
    this.#loaded = this.#load();
    return this.#loaded;
  }

  async #load(): Promise<void> {
    for (const capture of RecordingFiles.list(this.#options.root)) await this.#loadOne(capture);
  }

  async #loadOne(capture: string): Promise<void> {
    await this.#turn(capture, async () => {
      const files = new RecordingFiles(this.#options.root, capture);
      this.#unread.remove(capture);
      // Removed and ordered anew while this waited for its turn.
      if (this.#recordings.has(capture)) return;
      try {
        await this.#resume(capture, files);
      } catch (thrown) {
        const code = systemCode(thrown);
        if (code !== undefined && code !== 'ENOENT') return this.#keepUnread(capture, thrown);
        this.#options.log(`a recording on the disk is not usable and is removed: ${messageOf(thrown)}`);
        try {
          files.removeAll();
        } catch (left) {
          this.#keepUnread(capture, left);
        }
      }
    });
  }

  #keepUnread(capture: string, thrown: unknown): void {
    const why = this.#unread.add(capture, thrown, () => void this.#loadOne(capture));
    this.#options.log(`recording of the Capture ${capture}: ${why}`);
  }

  list(): ListedRecording[] {
    return [...this.#recordings.values()].map(({ state: { capture, namespace, name, state, endsAt } }) => ({
      capture,
      namespace,
      name,
      state,
      endsAt,
    }));
  }

  /** What the sessions of each Capture have captured, which record nothing. */
  captured(): CapturedCount[] {
    return this.#options.resources.captured.list();
  }

  /** @throws KsnoopError NO_SUCH_RECORDING, CANNOT_READ */
  get(capture: string): Recording {
    const recording = this.#recordings.get(capture);
    if (recording !== undefined) return recording;
    this.#unread.check(capture);
    throw noSuchRecording(capture);
  }

  /**
   * Start the recording of a Capture, or have one that runs record the pods of the order. One that has ended stays as it is.
   * @throws KsnoopError RECORDINGS_FULL, BAD_TRIGGER, CONFLICT, NO_MEMORY, TOO_MANY_SESSIONS, TICKET_REFUSED, CANNOT_READ
   */
  put(capture: string, user: string, { tickets: _, ...order }: RecordingOrder): Promise<RecordingState> {
    return this.#turn(capture, async () => {
      const known = this.#recordings.get(capture);
      if (known === undefined) {
        this.#unread.check(capture);
        return this.#start(capture, user, order);
      }
      if (known.user !== user) throw new KsnoopError('TICKET_REFUSED', 'The recording is of another user.');
      if (known.state.state !== 'recording') return known.state;
      if (!isSameRecording(known.order, order)) {
        throw new KsnoopError(
          'CONFLICT',
          `The recording ${order.namespace}/${order.name} runs with another filter, snaplen, ring, trigger or number of bytes.`,
          { hint: 'Make another Capture.' },
        );
      }
      await this.#options.protect(known, () => known.change(order));
      return known.state;
    });
  }

  /** @returns its state soon: its last piece may not be whole yet @throws KsnoopError NO_SUCH_RECORDING */
  stop(capture: string, { reason }: RecordingStop): RecordingState {
    const recording = this.get(capture);
    void this.#options.protect(recording, () => recording.end(reason));
    return recording.state;
  }

  /**
   * Remove a recording and everything of it from the node's disk; it is no error when there is none. Files on volumes stay.
   * @throws the disk's error: what is left is removed by another call, or when it is read again
   */
  remove(capture: string): Promise<void> {
    return this.#turn(capture, async () => {
      const recording = this.#recordings.get(capture);
      const isUnread = this.#unread.remove(capture);
      if (recording === undefined && !isUnread) return;
      for (const [key, abort] of this.#uploads) if (key.startsWith(`${capture}/`)) abort.abort();
      this.#recordings.delete(capture);
      clearTimeout(this.#removals.get(capture));
      this.#removals.delete(capture);
      await recording?.kill();
      try {
        new RecordingFiles(this.#options.root, capture).removeAll();
      } catch (thrown) {
        this.#keepUnread(capture, thrown);
        throw thrown;
      }
    });
  }

  /** The Capture is gone: remove its recording, and what of it is on volumes, of other agents too. @throws KsnoopError CANNOT_WRITE */
  async delete(capture: string): Promise<void> {
    await this.remove(capture);
    await this.#options.volumes.remove(capture);
  }

  /** A file of a Capture on a volume, to be closed. @throws KsnoopError NO_SUCH_RECORDING, CANNOT_READ */
  stored(capture: string, file: StoredFile) {
    return this.#options.volumes.open(capture, file);
  }

  /** The path of a finished piece, and its facts. @throws KsnoopError NO_SUCH_RECORDING */
  piece(capture: string, name: string) {
    const piece = this.get(capture).piece(name);
    if (piece !== undefined) return { path: new RecordingFiles(this.#options.root, capture).path(name), piece };
    throw new KsnoopError('NO_SUCH_RECORDING', `The recording has no piece ${name}, or its ring has replaced it.`);
  }

  /** Begin to send a piece; how that goes is in the recording's state. @throws KsnoopError NO_SUCH_RECORDING */
  upload(capture: string, name: string, upload: RecordingUpload | RecordingCopy): RecordingState {
    const recording = this.get(capture);
    const { path, piece } = this.piece(capture, name);
    const key = `${capture}/${name}`;
    if (this.#uploads.has(key)) return recording.state;
    const abort = new AbortController();
    this.#uploads.set(key, abort);
    recording.setUpload(name, { state: 'running' });
    const { namespace, name: own } = recording.order;
    const send = async () => {
      if ('url' in upload) return this.#uploadGate.run(() => putFile(path, piece.bytes, upload, abort.signal));
      // Volumes have a gate of their own: one that does not answer keeps no file from a bucket.
      const stored = { ...upload, namespace, name: own, piece: name };
      await this.#options.volumes.copy(capture, stored, path, piece, abort.signal);
      return undefined;
    };
    void send()
      .then(
        (etag) => recording.setUpload(name, { state: 'done', ...(etag !== undefined && { etag }) }),
        (thrown) => {
          const message = `The piece ${name} was not uploaded: ${messageOf(thrown)}.`;
          if (!abort.signal.aborted) recording.setUpload(name, { state: 'failed', message });
        },
      )
      .finally(() => this.#uploads.delete(key));
    return recording.state;
  }

  async #start(capture: string, user: string, order: RecordingOrder): Promise<RecordingState> {
    const { namespace, name, endsAt } = order;
    admitRecording(order, [...this.#recordings.values()], this.#options.bytes, this.#disk);
    const state: RecordingState = {
      ...{ capture, namespace, name, user, state: 'recording', startedAt: Date.now(), endsAt },
      ...{ pods: [], packets: 0, bytes: 0, dropped: 0, triggers: 0, gaps: 0, pieces: [] },
    };
    const recording = this.#add({ order, state, nextPiece: 1, nextKept: 1 });
    try {
      await this.#options.protect(recording, () => recording.start());
    } catch (thrown) {
      this.#recordings.delete(capture);
      await recording.kill();
      new RecordingFiles(this.#options.root, capture).removeAll();
      throw thrown;
    }
    return recording.state;
  }

  #add(beginning: RecordingBeginning): Recording {
    const { capture } = beginning.state;
    const { root, resources, targetOf = recordingTarget } = this.#options;
    const recording: Recording = new Recording(beginning, {
      files: new RecordingFiles(root, capture),
      resources,
      targetOf,
      disk: this.#disk,
      ended: () => this.#removeLater(recording),
    });
    this.#recordings.set(capture, recording);
    return recording;
  }

  async #resume(capture: string, files: RecordingFiles): Promise<void> {
    const { order, state, nextPiece, nextKept } = readStored(files);
    if (state.capture !== capture) throw new Error('its state is of another one');
    const ran = state.state === 'recording' || state.state === 'finishing';
    // Where it goes on, another file of the ring will be written.
    const stay = order.ring && (state.state === 'recording' ? order.ring.files - 1 : order.ring.files);
    const found = await recoverPieces(files, state.pieces, ran ? stay : undefined);
    const { pieces, others } = found;
    const numbers = {
      nextPiece: Math.max(nextPiece, found.nextPiece),
      nextKept: Math.max(nextKept, found.nextKept),
    };
    const gaps = state.gaps + (ran ? 1 : 0);
    const stated = { ...state, ...missed(order, ran), ...unlisted(others), pieces, gaps };
    const recording = this.#add({ order, state: stated, ...numbers });
    if (!ran) {
      this.#removeLater(recording);
      return;
    }
    if (state.state === 'finishing' || order.endsAt <= Date.now()) {
      await recording.end(state.reason ?? 'duration');
      return;
    }
    const last = pieces.findLast((piece) => !piece.kept)?.last;
    const from = last == null ? new Date(state.startedAt) : new Date(Number(BigInt(last) / 1_000_000n));
    const gap = `ksnoop: a gap before this section, from ${from.toISOString()} to ${new Date().toISOString()}: the agent was restarted.`;
    try {
      await this.#options.protect(recording, () => recording.start(gap));
    } catch (thrown) {
      await recording.end('failed', `After the agent was restarted: ${messageOf(thrown)}`);
    }
  }

  #removeLater(recording: Recording): void {
    const { capture, state } = recording;
    clearTimeout(this.#removals.get(capture));
    const left = Math.max(0, (state.removedAt ?? Date.now()) - Date.now());
    this.#removals.set(capture, setTimeout(() => void this.remove(capture).catch(() => {}), left).unref());
  }

  #turn<Result>(capture: string, task: () => Promise<Result>): Promise<Result> {
    const before = this.#turns.get(capture) ?? Promise.resolve();
    const turn = before.then(task, task);
    const settled = turn
      .catch(() => {})
      .then(() => {
        if (this.#turns.get(capture) === settled) this.#turns.delete(capture);
      });
    this.#turns.set(capture, settled);
    return turn;
  }
}

/** What an agent that was restarted does not know: matches whose packets were to be kept soon. */
function missed({ trigger }: RecordingOrder, ran: boolean): Pick<RecordingState, 'triggerProblem'> {
  if (trigger === undefined || !ran) return {};
  const at = new Date().toISOString();
  const seconds = Math.ceil(trigger.afterMs / 1000) + 3;
  return {
    triggerProblem: `The agent was restarted before ${at}: packets around exchanges of the last ${seconds} s before that may not be kept.`,
  };
}

/** Files that are on the disk and in no list. */
function unlisted(names: readonly string[]): Pick<RecordingState, 'message'> {
  if (names.length === 0) return {};
  const some = names.slice(0, 5).join(', ');
  return {
    message: `${names.length} files (${some}) cannot be read, or are more than a recording may have: they stay on the node's disk and are not fetched.`,
  };
}

/** Whether an order is for the recording that runs: its pods and its end may differ. */
function isSameRecording(known: RecordingOrder, order: RecordingOrder): boolean {
  const fixed = ({ filter, snaplen, maxBytes, ring, trigger }: RecordingOrder) =>
    JSON.stringify([
      filter,
      snaplen,
      maxBytes,
      ring && [ring.files, ring.fileBytes],
      trigger && [trigger.where, trigger.beforeMs, trigger.afterMs],
    ]);
  return fixed(known) === fixed(order);
}
