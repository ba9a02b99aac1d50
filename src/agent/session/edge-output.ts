import { AsyncResource } from 'node:async_hooks';
import { existsSync } from 'node:fs';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { EdgeRequest } from '../../wire/agent-protocol.ts';
import { plainBytes } from '../../wire/bytes.ts';
import type { ToAgent, ToWorker } from '../../wire/edge-worker.ts';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { EDGE_HEAP_MB, EDGE_PENDING_BYTES, EDGE_TRANSFER_BYTES, EDGE_YOUNG_MB } from '../limits.ts';

export interface EdgeOutputOptions {
  readonly request: EdgeRequest;
  /** Where the stream for the client goes. */
  readonly stdout: Writable;
  /** Bytes of the session's stream that wait to be analysed. */
  waiting(): number;
  /** The analysis has failed: nothing more comes. */
  failed(error: KsnoopError): void;
}

/**
 * Takes a session's stream in place of the client, has it analysed by a worker of its own, and passes on what the worker writes.
 * A write is over when the worker has analysed it and the client's stream has taken what came of it: a slow client makes the
 * session's packets wait in its spool, as they do without analysis.
 */
export class EdgeOutput extends Writable {
  readonly #worker: Worker;
  readonly #options: EdgeOutputOptions;
  /** Bytes that the client's stream has not taken yet. */
  #pending = 0;
  /** Ends the write under way; and whether its bytes were analysed. */
  #done: ((error?: Error) => void) | undefined;
  #isAnalysed = false;
  #over = false;

  constructor(options: EdgeOutputOptions) {
    super();
    this.#options = options;
    // With its own limit: what exceeds it ends this worker, and no other session.
    this.#worker = new Worker(program(), {
      workerData: options.request,
      resourceLimits: { maxOldGenerationSizeMb: EDGE_HEAP_MB, maxYoungGenerationSizeMb: EDGE_YOUNG_MB },
      // Not the agent's standard streams: one of them carries the session.
      stdin: false,
      stdout: true,
      stderr: true,
    });
    this.#worker.stdout.resume();
    this.#worker.stderr.resume();
    // In the context of the session, so that an exception ends this one alone.
    this.#worker.on(
      'message',
      AsyncResource.bind((message: ToAgent) => this.#take(message)),
    );
    this.#worker.on(
      'error',
      AsyncResource.bind((thrown: unknown) => this.#fail(messageOf(thrown))),
    );
    this.#worker.on(
      'exit',
      AsyncResource.bind((code: number) => this.#exited(code)),
    );
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#over) {
      done(new Error('the analysis has ended'));
      return;
    }
    this.#done = done;
    this.#isAnalysed = false;
    // The spool's batches are long and mostly full when there is much: those are given away, others are copied.
    const isGiven = chunk.length >= EDGE_TRANSFER_BYTES && chunk.byteLength * 2 >= chunk.buffer.byteLength;
    const bytes = isGiven ? plainBytes(chunk) : Uint8Array.from(chunk);
    const message: ToWorker = { type: 'bytes', bytes, waiting: this.#options.waiting() };
    this.#worker.postMessage(message, [bytes.buffer as ArrayBuffer]);
  }

  /** Another agent joins the capture: what is captured from now on may be seen there as well. */
  notAlone(): void {
    const message: ToWorker = { type: 'not-alone' };
    if (!this.#over) this.#worker.postMessage(message);
  }

  /** The session is over: the worker ends at once. */
  close(): void {
    this.#over = true;
    void this.#worker.terminate();
  }

  #take(message: ToAgent): void {
    if (this.#over) return;
    if (message.type === 'write') {
      const { length } = message.bytes;
      this.#pending += length;
      this.#options.stdout.write(message.bytes, () => {
        this.#pending -= length;
        this.#settle();
      });
      return;
    }
    this.#isAnalysed = true;
    this.#settle();
  }

  /** A write is over when its bytes were analysed and the client's stream has taken enough. */
  #settle(): void {
    if (!this.#isAnalysed || this.#pending > EDGE_PENDING_BYTES) return;
    const done = this.#done;
    this.#done = undefined;
    done?.();
  }

  /** The worker has ended: in good order when it had written the end of the stream. */
  #exited(code: number): void {
    if (code === 0 && this.#isAnalysed) this.#over = true;
    else this.#fail('it ended before its session');
  }

  #fail(why: string): void {
    if (this.#over) return;
    this.#over = true;
    const error = new KsnoopError('EDGE_FAILED', `The analysis on the node failed: ${why.replace(/\.$/, '')}.`, {
      hint: 'Without --edge the packets are analysed on your machine.',
    });
    this.#options.failed(error);
    this.#done?.(error);
  }
}

/** Beside the agent in dist/, in the image under its own name, and from the sources in development. */
function program(): string {
  const candidates = ['./ksnoop-edge.mjs', './ksnoop-edge', '../../edge/main.ts'];
  const found = candidates
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new KsnoopError('EDGE_FAILED', 'The analysis on the node failed: this agent comes without its program.', {
    hint: 'Without --edge the packets are analysed on your machine.',
  });
}
