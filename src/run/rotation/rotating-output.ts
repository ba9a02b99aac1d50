import type { InterfaceOrigin } from '../../capture/streams/merge.ts';
import { BLOCK } from '../../wire/pcapng.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import { interfaceStatisticsOf } from '../../wire/statistics-read.ts';
import type { CreateOutput, Output, OutputContext } from '../outputs/output.ts';
import { ByteWriter } from '../sink/byte-writer.ts';
import type { Sink } from '../sink/sink.ts';
import { FileSeries } from './file-series.ts';
import { FileStatistics } from './file-statistics.ts';

/** When a capture continues in another file, and how many files there may be. */
export interface Rotation {
  /** Bytes of one file, about. */
  readonly bytes: number;
  readonly intervalMs: number;
  /** Files there may be: then the capture ends, or the oldest goes. */
  readonly files: number;
  readonly ring: boolean;
}

/** An interface as every file describes it, and what is counted of it in the current one. */
interface Described {
  readonly block: Uint8Array;
  readonly origin: InterfaceOrigin;
  readonly statistics: FileStatistics;
}

/** Where a rotating capture goes: a sink whose output makes its files. */
export interface RotatingSink extends Sink {
  output(context: Omit<OutputContext, 'writer'>): Output;
}

/** Where a rotating capture is written. */
export interface RotationTarget {
  /** The name that the files' names are made of. */
  readonly path: string;
  /** Overwrite existing files. */
  readonly force: boolean;
  readonly rotation: Rotation;
}

/**
 * Begin the first file of a capture with -C or -G.
 * @param create makes the output of one file
 * @throws KsnoopError FILE_EXISTS (exit 2), CANNOT_WRITE
 */
export function openRotation(
  { path, force, rotation }: RotationTarget,
  create: CreateOutput,
  onProgress: () => void,
): RotatingSink {
  const series = new FileSeries(path, force);
  const output = new RotatingOutput(create, rotation, series, onProgress);
  return {
    path,
    get writer() {
      return output.writer;
    },
    get failure() {
      return output.failure;
    },
    get description() {
      const { kept, begun } = series;
      const which = kept.length === 1 ? kept[0] : `${kept[0]} to ${kept.at(-1)}`;
      return begun === kept.length ? `wrote ${which}` : `wrote ${begun} files and kept the newest: ${which}`;
    },
    close: async (discard) => {
      await output.drained();
      if (discard) series.keep(0);
    },
    output: (context) => output.begin(context),
  };
}

/** Writes one complete capture file after another: each has its names, interfaces, statistics and end. */
class RotatingOutput implements Output {
  /** Why there is no next file. */
  failure: Error | undefined;
  readonly #create: CreateOutput;
  readonly #rotation: Rotation;
  readonly #series: FileSeries;
  readonly #onProgress: () => void;
  readonly #interfaces: Described[] = [];
  readonly #names = new Map<string, NamedAddress>();
  readonly #closing = new Set<{ readonly writer: ByteWriter; readonly done: Promise<void> }>();
  /** Secrets for the file of the next packet. */
  #secrets: Uint8Array[] = [];
  #context: Omit<OutputContext, 'writer'> | undefined;
  #writer: ByteWriter;
  #file: Output | undefined;
  #packets = 0;
  #taken = 0;
  #begunAt = Date.now();

  constructor(create: CreateOutput, rotation: Rotation, series: FileSeries, onProgress: () => void) {
    this.#create = create;
    this.#rotation = rotation;
    this.#series = series;
    this.#onProgress = onProgress;
    this.#writer = new ByteWriter(series.next(), onProgress);
  }

  /** The current file's; or that of an earlier one which could not be written to its end. */
  get writer(): ByteWriter {
    for (const { writer } of this.#closing) if (writer.end !== undefined) return writer;
    return this.#writer;
  }

  get omitted(): string | undefined {
    return this.#file?.omitted;
  }

  get pending(): number {
    let pending = this.#writer.pending;
    for (const { writer } of this.#closing) pending += writer.pending;
    return pending;
  }

  get ended(): boolean {
    return this.failure !== undefined || this.writer.end !== undefined || (this.#isLast() && this.#isDue(0));
  }

  begin(context: Omit<OutputContext, 'writer'>): Output {
    this.#context = context;
    this.#file = this.#create({ ...context, writer: this.#writer });
    return this;
  }

  flush(): void {
    this.#file?.flush();
  }

  addNames(records: readonly NamedAddress[]): void {
    for (const record of records) this.#names.set(`${record.cluster ?? ''} ${record.address}`, record);
    this.#file?.addNames(records);
  }

  addInterface(id: number, bytes: Uint8Array, offset: number, length: number, origin: InterfaceOrigin): void {
    const block = Uint8Array.from(bytes.subarray(offset, offset + length));
    this.#interfaces[id] = { block, origin, statistics: new FileStatistics(id, now()) };
    this.#file?.addInterface(id, bytes, offset, length, origin);
  }

  write(type: number, id: number, bytes: Uint8Array, offset: number, length: number): void {
    const statistics = this.#interfaces[id]?.statistics;
    if (type === BLOCK.interfaceStatistics && statistics !== undefined) {
      const block = statistics.told(interfaceStatisticsOf(bytes, offset, length));
      this.#file?.write(type, id, block, 0, block.length);
      return;
    }
    if (type === BLOCK.enhancedPacket) {
      if (this.#isDue(length) && !this.#isLast()) this.#rotate();
      this.#packets += 1;
      statistics?.packet();
      this.#writeSecrets();
    }
    this.#taken += length;
    this.#file?.write(type, id, bytes, offset, length);
  }

  addSecrets(block: Uint8Array): void {
    this.#secrets.push(block);
  }

  async close(reason: string): Promise<void> {
    this.#writeSecrets();
    await this.#file?.close(reason);
  }

  /** Resolves when every file is with the kernel, and closed. */
  async drained(): Promise<void> {
    await Promise.all([...this.#closing].map(({ done }) => done));
    await this.#writer.drained();
    this.#writer.close();
  }

  #writeSecrets(): void {
    if (this.#secrets.length === 0) return;
    for (const block of this.#secrets) {
      this.#taken += block.length;
      this.#file?.addSecrets?.(block);
    }
    this.#secrets = [];
  }

  /** No other file may follow. */
  #isLast(): boolean {
    return !this.#rotation.ring && this.#series.begun >= this.#rotation.files;
  }

  /** @param length of what is to be written next; with 0 the file is full as it is */
  #isDue(length: number): boolean {
    if (this.#packets === 0) return false;
    const { bytes, intervalMs } = this.#rotation;
    return (
      (length > 0 ? this.#taken + length > bytes : this.#taken >= bytes) || Date.now() - this.#begunAt >= intervalMs
    );
  }

  /** This file is complete; the next one begins with the names and interfaces of the last one. */
  #rotate(): void {
    const { files, ring } = this.#rotation;
    let descriptor: number;
    try {
      descriptor = this.#series.next();
    } catch (error) {
      // The capture ends with this; the current file is written to its end.
      this.failure = error instanceof Error ? error : new Error(String(error));
      this.#onProgress();
      return;
    }
    const time = now();
    for (const [id, { statistics }] of this.#interfaces.entries()) {
      const block = statistics.end(time);
      this.#file?.write(BLOCK.interfaceStatistics, id, block, 0, block.length);
    }
    this.#leave('next file');
    if (ring) this.#series.keep(files);
    this.#writer = new ByteWriter(descriptor, this.#onProgress);
    this.#file = this.#context && this.#create({ ...this.#context, writer: this.#writer });
    this.#packets = 0;
    this.#taken = 0;
    this.#begunAt = Date.now();
    this.#file?.addNames([...this.#names.values()]);
    for (const [id, { block, origin, statistics }] of this.#interfaces.entries()) {
      statistics.begin(time);
      // A gap was before the first file's packets, not before these.
      this.#file?.addInterface(id, block, 0, block.length, { ...origin, gap: undefined });
    }
  }

  /** Write the end of the current file and close it, while the next one is written already. */
  #leave(reason: string): void {
    const writer = this.#writer;
    const closed = this.#file?.close(reason) ?? Promise.resolve();
    const done = closed.then(() => writer.close());
    const left = { writer, done };
    this.#closing.add(left);
    void done.then(() => {
      if (writer.end === undefined) this.#closing.delete(left);
    });
  }
}

function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
