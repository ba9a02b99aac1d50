import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import type { RecordingPiece } from '../../wire/recording.ts';
import {
  TRIGGER_END_MS,
  TRIGGER_HEAP_MIB,
  TRIGGER_LOOK_MS,
  TRIGGER_MEMORY,
  TRIGGER_SILENCE_MS,
  TRIGGER_START_MS,
} from '../limits.ts';
import { type MemoryBudget, noMemory } from '../spool/memory-budget.ts';
import type { TriggerControl, TriggerData, TriggerReport } from './trigger-messages.ts';

export interface TriggerHandlers {
  fired(count: number): void;
  kept(piece: RecordingPiece): void;
  problem(message: string): void;
  /** The thread has ended by itself, or was ended because it hangs; a sentence. */
  died(why: string): void;
}

/** The program of the thread, which has the analyzer: beside the bundled agent, or in the sources. */
function program(): string {
  const { filename, dirname } = import.meta;
  if (filename.endsWith('.ts')) return join(dirname, '../../edge/trigger-main.ts');
  // In the image programs have no suffix.
  return join(dirname, filename.endsWith('.mjs') ? 'ksnoop-trigger.mjs' : 'ksnoop-trigger');
}

/**
 * The thread that evaluates a trigger. It reads the pieces of the ring from the disk, so one that is slow holds nothing up and takes no memory
 * of this thread.
 */
export class TriggerThread {
  readonly #worker: Worker;
  readonly #handlers: TriggerHandlers;
  readonly #done = Promise.withResolvers<void>();
  #written = 0;
  #taken = 0;
  #movedAt = performance.now();
  #watch: NodeJS.Timeout | undefined;
  #over = false;

  private constructor(worker: Worker, handlers: TriggerHandlers) {
    this.#worker = worker;
    this.#handlers = handlers;
  }

  /**
   * Start a thread.
   * @param memory admits what it takes
   * @throws KsnoopError BAD_TRIGGER when the expression cannot be evaluated on a node, NO_MEMORY
   */
  static async start(
    data: TriggerData,
    memory: Pick<MemoryBudget, 'begin' | 'available'>,
    handlers: TriggerHandlers,
  ): Promise<TriggerThread> {
    const started = memory.begin(TRIGGER_MEMORY);
    if (started === undefined) throw noMemory(memory);
    const worker = new Worker(program(), {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: TRIGGER_HEAP_MIB, maxYoungGenerationSizeMb: 16 },
      stdin: false,
      // What a library prints is not for the log.
      stdout: true,
      stderr: true,
    });
    const thread = new TriggerThread(worker, handlers);
    const ready = Promise.withResolvers<void>();
    const late = setTimeout(
      () => ready.reject(new KsnoopError('BAD_TRIGGER', 'The trigger of the recording takes too long to compile.')),
      TRIGGER_START_MS,
    );
    worker.on('message', (report: TriggerReport) => {
      if (report.type === 'ready') ready.resolve();
      else if (report.type === 'refused') {
        ready.reject(new KsnoopError('BAD_TRIGGER', report.message, { hint: report.hint }));
      } else thread.#take(report);
    });
    worker.on('error', (thrown) => {
      ready.reject(new KsnoopError('CAPTURE_FAILED', `The trigger cannot be evaluated: ${messageOf(thrown)}.`));
      thread.#died(messageOf(thrown));
    });
    worker.on('exit', () => thread.#died('its thread has ended'));
    try {
      await ready.promise;
    } catch (thrown) {
      await thread.terminate();
      throw thrown;
    } finally {
      clearTimeout(late);
      started();
    }
    thread.#watch = setInterval(() => thread.#look(), TRIGGER_LOOK_MS).unref();
    return thread;
  }

  grew(piece: string, from: number, to: number): void {
    if (this.#written === this.#taken) this.#movedAt = performance.now();
    this.#written += to - from;
    this.#send({ type: 'grew', piece, from, to });
  }

  gone(piece: string): void {
    this.#send({ type: 'gone', piece });
  }

  /** Everything is written: resolves when what is to be kept is kept, or the thread has died, after a while in any case. */
  async end(): Promise<void> {
    this.#send({ type: 'end' });
    let late: NodeJS.Timeout | undefined;
    const timeout = new Promise<'late'>((resolve) => {
      late = setTimeout(resolve, TRIGGER_END_MS, 'late');
    });
    const how = await Promise.race([this.#done.promise, timeout]);
    clearTimeout(late);
    if (how === 'late') this.#handlers.problem('The last packets were not evaluated in time.');
    await this.terminate();
  }

  /** End it at once. */
  async terminate(): Promise<void> {
    this.#over = true;
    clearInterval(this.#watch);
    this.#done.resolve();
    await this.#worker.terminate();
  }

  #send(control: TriggerControl): void {
    if (!this.#over) this.#worker.postMessage(control);
  }

  #take(report: TriggerReport): void {
    if (this.#over) return;
    this.#movedAt = performance.now();
    if (report.type === 'taken') this.#taken = report.bytes;
    else if (report.type === 'fired') this.#handlers.fired(report.count);
    else if (report.type === 'kept') this.#handlers.kept(report.piece);
    else if (report.type === 'problem') this.#handlers.problem(report.message);
    else if (report.type === 'done') this.#done.resolve();
  }

  #look(): void {
    if (this.#taken < this.#written && performance.now() - this.#movedAt > TRIGGER_SILENCE_MS) {
      this.#died('its thread does not go on');
    }
  }

  #died(why: string): void {
    if (this.#over) return;
    void this.terminate();
    this.#handlers.died(why);
  }
}
