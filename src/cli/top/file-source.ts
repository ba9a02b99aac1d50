import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { AnalysisSession } from '../../analyze/engine/session.ts';
import { analysisNotes } from '../../run/analysis/notes.ts';
import { packetSelection } from '../../run/convert/selection.ts';
import { readKeyLog } from '../../run/keys/read-key-log.ts';
import { readCapture } from '../../run/reading/read-capture.ts';
import type { CaptureState } from '../../view/top/model.ts';
import type { InterfaceCounts } from './interface-counts.ts';
import type { Top, TopSource } from './model.ts';
import type { TopConfig } from './options.ts';
import { Pace, REPLAY_BYTES } from './pace.ts';
import { Remarks } from './remarks.ts';

/** Reading lets others work after so many milliseconds. */
const TURN_MS = 20;

/** A capture file, read to its end or to a time in it. */
export class CaptureFileSource implements TopSource {
  trouble: string | undefined;
  readonly remarks = new Remarks();
  reading: number | undefined;
  /** Packets come as far apart as they were captured. */
  replaying = false;
  readonly #path: string;
  readonly #filter: string | undefined;
  readonly #showSecrets: boolean;
  readonly #keyLog: string | undefined;
  readonly #size: number | undefined;
  #session: AnalysisSession | undefined;
  /** ns from the first packet to the last of the whole file, once that is known. */
  #length: number | undefined;
  /** To where it was read and stands, ns after the first packet; undefined: to the end. */
  to: number | undefined;
  #abort = new AbortController();
  #turnedAt = 0;

  constructor(path: string, { filter, showSecrets, keyLog }: Pick<TopConfig, 'filter' | 'showSecrets' | 'keyLog'>) {
    this.#path = path;
    this.#filter = filter;
    this.#showSecrets = showSecrets;
    this.#keyLog = keyLog;
    const stat = path === '-' ? undefined : statSync(path);
    this.#size = stat?.isFile() === true ? stat.size : undefined;
  }

  /** What comes through a pipe comes when it is captured, perhaps. */
  get live(): boolean {
    return this.#path === '-' && this.#length === undefined;
  }

  /** Whether it can be read again. */
  get seekable(): boolean {
    return this.#size !== undefined;
  }

  /** ns from the first packet to the last; undefined until it was read to its end. */
  get length(): number | undefined {
    return this.#length;
  }

  /** Where it stands: ns after the first packet. */
  get at(): number {
    if (this.replaying) return this.#session?.capture.analysis.clock.latest ?? 0;
    return this.to ?? this.#length ?? 0;
  }

  get position(): number | undefined {
    if (this.#length === undefined || this.reading !== undefined) return undefined;
    if (this.#length === 0 || (this.to === undefined && !this.replaying)) return 1;
    return Math.min(1, this.at / this.#length);
  }

  /**
   * Read it, into the model. What it is cut by is a remark.
   * @param to ns after the first packet; undefined to its end
   * @throws KsnoopError when nothing of it could be read
   */
  async read(model: Top, to: number | undefined): Promise<void> {
    const whole = await this.#run(model, to, undefined);
    if (whole && to === undefined) this.#length = this.#session?.capture.analysis.clock.latest;
  }

  /**
   * Read it to `from` at once, and on from there as fast as it was captured.
   * @param from ns after the first packet
   * @returns whether it came to the end
   */
  replay(model: Top, from: number): Promise<boolean> {
    return this.#run(model, undefined, new Pace(from, () => model.isPaused));
  }

  /** @returns whether it came to where it was to come */
  async #run(model: Top, to: number | undefined, pace: Pace | undefined): Promise<boolean> {
    this.#abort.abort();
    const abort = new AbortController();
    this.#abort = abort;
    // What a key log has counted and holds belongs to one reading.
    const keys = this.#keyLog === undefined ? undefined : await readKeyLog(this.#keyLog);
    if (abort.signal.aborted) return false;
    const end = to === undefined ? undefined : ({ kind: 'after', nanoseconds: BigInt(Math.round(to)) } as const);
    const session = new AnalysisSession(model.kind, {
      line: () => {},
      colour: false,
      align: false,
      width: undefined,
      json: false,
      where: undefined,
      choice: packetSelection({ filter: this.#filter, from: undefined, to: end }),
      showSecrets: this.#showSecrets,
      keys,
    });
    this.#session = session;
    this.to = to;
    this.replaying = pace !== undefined;
    this.reading = pace === undefined && this.seekable ? 0 : undefined;
    let chunk: Uint8Array = new Uint8Array(0);
    const result = await readCapture(
      { files: [{ path: this.#path, first: undefined }], follow: false },
      {
        framer: session.capture.framer,
        push: (bytes) => {
          if (pace === undefined) session.push(bytes);
          else chunk = bytes;
        },
        nextFile: () => {},
        waiting: () => (pace === undefined ? this.#turn(session) : feed(session, chunk, pace, abort.signal)),
      },
      abort.signal,
    );
    if (abort.signal.aborted) return false;
    session.end();
    this.reading = undefined;
    this.replaying = false;
    const [stopped] = result.stopped;
    if (stopped !== undefined) {
      this.trouble = 'cut';
      if (this.remarks.all.length === 0) this.remarks.add(stopped, true);
    }
    return true;
  }

  /** Let others work, now and then. */
  #turn(session: AnalysisSession): Promise<void> | undefined {
    if (this.#size !== undefined) this.reading = Math.min(1, session.capture.framer.consumed / this.#size);
    if (performance.now() - this.#turnedAt < TURN_MS) return undefined;
    return new Promise((resolve) =>
      setImmediate(() => {
        this.#turnedAt = performance.now();
        resolve();
      }),
    );
  }

  /** Read no further. */
  stop(): void {
    this.#abort.abort();
  }

  capture(counts: InterfaceCounts): CaptureState {
    const interfaces = this.#session?.interfaces ?? [];
    return {
      source: this.#path === '-' ? 'stdin' : basename(this.#path),
      packets: counts.packets,
      bytes: counts.bytes,
      targets: interfaces.map((each, id) => ({
        label: each.name === '' ? `interface ${id}` : each.name.replace(/\/[^/]*$/, ''),
        state: 'read',
        failed: false,
        interfaces: [each.name],
        ...counts.of(id),
        droppedByKernel: 0,
        droppedByKsnoop: 0,
      })),
      nodes: [],
      remarks: this.remarks.all,
      memory: process.memoryUsage.rss(),
      gaps: 0,
      bounds: this.#session === undefined ? [] : analysisNotes(this.#session),
    };
  }
}

/** Push bytes piece by piece, each when its time has come. */
async function feed(session: AnalysisSession, bytes: Uint8Array, pace: Pace, signal: AbortSignal): Promise<void> {
  for (let at = 0; at < bytes.length && !signal.aborted; at += REPLAY_BYTES) {
    session.push(bytes.subarray(at, at + REPLAY_BYTES));
    await pace.until(session.capture.analysis.clock.latest, signal);
  }
}
