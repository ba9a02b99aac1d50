import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { CaptureState } from '../../view/top/model.ts';
import { counted } from '../../view/units.ts';
import { AnalysisSession } from '../analysis/session.ts';
import { PacketSelection } from '../convert/select.ts';
import { TimeRange } from '../convert/selection.ts';
import { readCapture } from '../read-capture.ts';
import type { Voice } from '../voice.ts';
import type { InterfaceCounts } from './interface-counts.ts';
import type { Top, TopSource } from './model.ts';
import { Remarks } from './remarks.ts';

/** Reading lets others work after so many milliseconds. */
const TURN_MS = 20;

const SILENT: Voice = { say: () => {}, detail: () => {}, tell: () => {} };

/** A capture file, read to its end or to a time in it. */
export class FileSource implements TopSource {
  readonly live = false;
  trouble: string | undefined;
  readonly remarks = new Remarks();
  reading: number | undefined;
  readonly #path: string;
  readonly #showSecrets: boolean;
  readonly #size: number | undefined;
  #session: AnalysisSession | undefined;
  /** ns from the first packet to the last of the whole file, once that is known; and to where it stands. */
  #length: number | undefined;
  /** To where it was read, ns after the first packet; undefined: to the end. */
  to: number | undefined;
  #abort = new AbortController();

  constructor(path: string, showSecrets: boolean) {
    this.#path = path;
    this.#showSecrets = showSecrets;
    const stat = path === '-' ? undefined : statSync(path);
    this.#size = stat?.isFile() === true ? stat.size : undefined;
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
    return this.to ?? this.#length ?? 0;
  }

  get position(): number | undefined {
    if (this.#length === undefined || this.reading !== undefined) return undefined;
    return this.to === undefined || this.#length === 0 ? 1 : Math.min(1, this.to / this.#length);
  }

  /**
   * Read it, into the model. What it is cut by is a remark.
   * @param to ns after the first packet; undefined to its end
   * @throws KsnoopError when nothing of it could be read
   */
  async read(model: Top, to: number | undefined): Promise<void> {
    this.#abort.abort();
    const abort = new AbortController();
    this.#abort = abort;
    const choice =
      to === undefined
        ? undefined
        : new PacketSelection(
            undefined,
            new TimeRange(undefined, { kind: 'after', nanoseconds: BigInt(Math.round(to)) }),
          );
    const session = new AnalysisSession(model.kind, {
      line: () => {},
      colour: false,
      align: false,
      width: undefined,
      json: false,
      where: undefined,
      choice,
      showSecrets: this.#showSecrets,
    });
    this.#session = session;
    this.to = to;
    this.reading = 0;
    let turn = performance.now();
    const result = await readCapture(
      { path: this.#path, follow: false },
      session.capture.framer,
      (bytes) => session.push(bytes),
      () => {
        const share = session.capture.framer.consumed / (this.#size ?? Number.POSITIVE_INFINITY);
        this.reading = share > 1 ? 1 : share;
        if (performance.now() - turn < TURN_MS) return undefined;
        return new Promise((resolve) =>
          setImmediate(() => {
            turn = performance.now();
            resolve();
          }),
        );
      },
      abort.signal,
      SILENT,
    );
    if (abort.signal.aborted) return;
    session.end();
    this.reading = undefined;
    if (to === undefined) this.#length = session.capture.analysis.clock.latest;
    if (result.stopped === undefined) return;
    this.trouble = 'cut';
    if (this.remarks.all.length === 0) this.remarks.add(result.stopped, true);
  }

  /** Read no further. */
  stop(): void {
    this.#abort.abort();
  }

  capture(counts: InterfaceCounts): CaptureState {
    const interfaces = this.#session?.interfaces ?? [];
    const analysis = this.#session?.capture.analysis;
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
      bounds: analysis === undefined ? [] : boundsOf(analysis),
    };
  }
}

/** What the analysis' bounds cost. */
export function boundsOf(analysis: AnalysisSession['capture']['analysis']): string[] {
  const { evicted, gaps, otherHosts } = analysis.bounds;
  const lines: string[] = [];
  if (analysis.copies > 0) lines.push(`${counted(analysis.copies, 'packet')} seen at more than one interface`);
  if (gaps > 0) lines.push(`${counted(gaps, 'gap')} in TCP streams: octets that were not captured`);
  if (evicted > 0) lines.push(`${counted(evicted, 'flow')} ended early: there were too many at once`);
  if (otherHosts > 0) lines.push('there were too many addresses: some are counted as one');
  return lines;
}
