import { gzipSync } from 'node:zlib';
import { Backoff } from '../../wire/backoff.ts';
import { KsnoopError } from '../../wire/errors.ts';
import type { Signal } from './choices.ts';
import { type Endpoint, shownUrl } from './endpoint.ts';
import { post, type Response } from './post.ts';

/** Compressed messages that wait for the receiver, bytes; past it what comes is dropped and counted. */
export const QUEUE_BYTES = 16 * 1024 * 1024;
/** Waits between attempts, ms. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** A receiver that takes nothing for so long is given up: while packets come, and after the end, ms. */
const GIVE_UP_MS = 60_000;
const GIVE_UP_AT_END_MS = 15_000;

/** Responses after which the same message may be sent again (OTLP specification, "OTLP/HTTP Response"). */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Responses of a receiver that has no such signal: Prometheus takes metrics only. */
const NOT_THERE: ReadonlySet<number> = new Set([404, 405, 501]);

interface Message {
  readonly signal: Signal;
  readonly body: Uint8Array;
  /** Data points, spans or log records in it. */
  readonly items: number;
}

/** Who is told how it goes. */
export interface ExporterSettings {
  readonly endpoint: Endpoint;
  /** Packets come as they are captured: nothing waits for the receiver. */
  readonly live: boolean;
  /** Receives a sentence for the user. */
  warn(message: string): void;
  /** Waits in ms, and compressed bytes of the queue; the constants above unless given. */
  readonly bounds?: {
    readonly first: number;
    readonly longest: number;
    readonly giveUp: number;
    readonly queueBytes: number;
  };
}

/** How many items of each signal. */
export type Counts = Record<Signal, number>;

const none = (): Counts => ({ metrics: 0, traces: 0, logs: 0 });

/**
 * Sends OTLP messages one after the other, in order. A receiver that is busy or away is tried again; what it refuses, and what the queue has
 * no room for, is dropped and counted.
 */
export class Exporter {
  readonly sent: Counts = none();
  readonly dropped: Counts = none();
  readonly #settings: ExporterSettings;
  readonly #backoff: Backoff;
  readonly #queue: Message[] = [];
  readonly #missing = new Set<Signal>();
  readonly #abort = new AbortController();
  readonly #queueBytes: number;
  #bytes = 0;
  #sending: Promise<void> | undefined;
  #closing = false;
  /** When the receiver last took something, or the first message came. */
  #tookAt: number | undefined;
  #failing: string | undefined;
  #warned = new Set<string>();
  #room: PromiseWithResolvers<void> | undefined;

  constructor(settings: ExporterSettings) {
    this.#settings = settings;
    const { first = FIRST_WAIT_MS, longest = LONGEST_WAIT_MS } = settings.bounds ?? {};
    this.#queueBytes = settings.bounds?.queueBytes ?? QUEUE_BYTES;
    this.#backoff = new Backoff(first, longest, Math.random);
  }

  /** Whether a signal is sent at all. */
  wants(signal: Signal): boolean {
    return this.#settings.endpoint.urls[signal] !== undefined && !this.#missing.has(signal);
  }

  /** Send a message. @param items data points, spans or log records in it */
  send(signal: Signal, message: object, items: number): void {
    if (items === 0 || !this.wants(signal)) return;
    const body = gzipSync(Buffer.from(JSON.stringify(message)));
    // Metrics are cumulative: the latest of them has all that an earlier one had.
    if (signal === 'metrics' && this.#settings.live) this.#forget('metrics');
    if (this.#bytes + body.length > this.#queueBytes) {
      this.dropped[signal] += items;
      return;
    }
    this.#queue.push({ signal, body, items });
    this.#bytes += body.length;
    this.#tookAt ??= performance.now();
    this.#sending ??= this.#run();
  }

  /** Resolves when there is room for more; undefined: there is. */
  waiting(): Promise<void> | undefined {
    if (this.#settings.live || this.#hasRoom) return undefined;
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  /**
   * Send what waits, and end.
   * @throws KsnoopError OTLP_FAILED where nothing could be delivered
   */
  async close(): Promise<void> {
    this.#closing = true;
    this.#tookAt = performance.now();
    this.#abort.abort();
    while (this.#sending !== undefined) await this.#sending;
    const delivered = Object.values(this.sent).some((count) => count > 0);
    if (!delivered && this.#failing !== undefined) {
      throw new KsnoopError('OTLP_FAILED', `Nothing could be delivered: ${this.#failing}.`, {
        hint: 'Check the URL of --otlp, its port (4318 for HTTP) and --otlp-header; the receiver must take OTLP over HTTP. A name of the cluster is known only in its pods: from another machine use kubectl port-forward.',
      });
    }
  }

  async #run(): Promise<void> {
    for (let message = this.#queue[0]; message !== undefined; message = this.#queue[0]) {
      const waitMs = await this.#attempt(message);
      if (waitMs === undefined) {
        const first = this.#queue.indexOf(message);
        if (first >= 0) this.#take(first);
      } else if (this.#isGivenUp()) this.#giveUp();
      else await this.#pause(waitMs);
      if (this.#hasRoom) this.#makeRoom();
    }
    this.#sending = undefined;
  }

  /** @returns how long to wait before the next attempt, ms; undefined where the message is done with */
  async #attempt({ signal, body, items }: Message): Promise<number | undefined> {
    const { urls, headers, ca } = this.#settings.endpoint;
    const url = urls[signal];
    if (url === undefined || this.#missing.has(signal)) return this.#drop(signal, items);
    let response: Response;
    try {
      response = await post(url, body, { headers, ca });
    } catch (thrown) {
      return this.#retry(
        `${shownUrl(url)}: ${thrown instanceof Error ? thrown.message || thrown.name : String(thrown)}`,
      );
    }
    const { status, retryAfterMs } = response;
    if (status >= 200 && status < 300) {
      this.#took(signal, items, response);
      return undefined;
    }
    const what = `${shownUrl(url)} answered with status ${status}`;
    if (RETRYABLE.has(status)) return this.#retry(what, retryAfterMs);
    this.#failing = what;
    if (NOT_THERE.has(status)) {
      this.#missing.add(signal);
      this.#warnOnce(`${what}, so no ${signal} are sent.`);
    } else this.#warnOnce(`${what}: ${signal} are dropped.`);
    return this.#drop(signal, items);
  }

  #took(signal: Signal, items: number, { body }: Response): void {
    const rejected = Math.min(items, rejectedIn(body));
    this.sent[signal] += items - rejected;
    this.dropped[signal] += rejected;
    if (rejected > 0) this.#warnOnce(`The receiver rejected some ${signal}.`);
    if (this.#failing !== undefined && this.#warned.delete(this.#failing)) {
      this.#settings.warn('The receiver of OpenTelemetry data takes data again.');
    }
    this.#failing = undefined;
    this.#tookAt = performance.now();
    this.#backoff.reset();
  }

  #retry(why: string, retryAfterMs = 0): number {
    this.#failing = why;
    if (!this.#warned.has(why)) {
      this.#warned.add(why);
      this.#settings.warn(`OpenTelemetry data is not delivered: ${why}. ksnoop tries again.`);
    }
    return Math.max(this.#backoff.next(), Math.min(retryAfterMs, GIVE_UP_MS));
  }

  #drop(signal: Signal, items: number): undefined {
    this.dropped[signal] += items;
  }

  #isGivenUp(): boolean {
    const { live, bounds } = this.#settings;
    // A capture goes on, and with it the hope for the receiver; its queue is bounded.
    if (live && !this.#closing) return false;
    const limit = bounds?.giveUp ?? (this.#closing ? GIVE_UP_AT_END_MS : GIVE_UP_MS);
    return performance.now() - (this.#tookAt ?? 0) >= limit;
  }

  #giveUp(): void {
    while (this.#queue.length > 0) {
      const { signal, items } = this.#take(0);
      this.dropped[signal] += items;
    }
    this.#makeRoom();
  }

  /** The end of a capture cuts a wait short. */
  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#closing ? Math.min(ms, GIVE_UP_AT_END_MS / 10) : ms);
    const { signal } = this.#abort;
    if (!this.#closing) signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    clearTimeout(timer);
  }

  /** Take messages of a signal that wait behind the one that is being sent out of the queue. */
  #forget(signal: Signal): void {
    for (let index = this.#queue.length - 1; index > 0; index -= 1) {
      if (this.#queue[index]?.signal === signal) this.#take(index);
    }
  }

  #take(index: number): Message {
    const [message] = this.#queue.splice(index, 1) as [Message];
    this.#bytes -= message.body.length;
    return message;
  }

  /** Reading a file waits where the queue is half full: what is read meanwhile still has room. */
  get #hasRoom(): boolean {
    return this.#bytes < this.#queueBytes / 2;
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  #warnOnce(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.#settings.warn(message);
  }
}

/** How many items a receiver that took a message did not take: `partialSuccess` of the response. */
function rejectedIn(body: string): number {
  const found = /"rejected(?:DataPoints|Spans|LogRecords)"\s*:\s*"?(\d{1,15})/.exec(body);
  return found === null ? 0 : Number(found[1]);
}
