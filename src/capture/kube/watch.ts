import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff } from '../../wire/backoff.ts';
import { Deadline } from '../../wire/deadline.ts';
import { KsnoopError } from '../../wire/errors.ts';
import { isObject, type JsonObject, objectAt, optionalNumber, optionalString, parseJson } from '../../wire/guard.ts';
import { lineSplitter } from '../../wire/lines.ts';
import { listPages, open, type Selectors, selectorQuery } from './api.ts';
import { connectionFailure, refusal, timeout } from './failures.ts';
import type { Kube } from './kube.ts';
import {
  WATCH_BACKOFF_FIRST_MS,
  WATCH_BACKOFF_LAST_MS,
  WATCH_EVENT_MAXIMUM,
  WATCH_GRACE_MS,
  WATCH_SECONDS,
} from './limits.ts';

export type WatchEvent =
  | { readonly type: 'added' | 'modified'; readonly object: JsonObject }
  /** `object` has at least its metadata (name, namespace, uid): more is not known of an object that was deleted while the watch was interrupted. */
  | { readonly type: 'deleted'; readonly object: JsonObject }
  /** All objects that existed when the watch began were emitted as `added`. Once. */
  | { readonly type: 'synced' }
  /** The server cannot be reached or refuses; the watch is taken up again with back-off until the signal aborts. */
  | { readonly type: 'interrupted'; readonly error: KsnoopError }
  /** The watch works again, and every change in between was emitted. */
  | { readonly type: 'resumed' };

export interface WatchOptions extends Selectors {
  readonly signal: AbortSignal;
}

/**
 * Emit what exists in a collection and every change to it, across dropped connections, API server restarts and
 * resource versions that are too old (then by listing again and emitting the difference).
 * @param path the collection's: `resourcePath('v1', 'shop', 'pods')`
 * @param onEvent called one event at a time; it must only enqueue, for the connection waits while it runs
 * @returns when the signal aborts
 * @throws KsnoopError as `list` when the very first list fails: later failures are `interrupted` events
 */
export async function watchObjects(
  kube: Kube,
  path: string,
  options: WatchOptions,
  onEvent: (event: WatchEvent) => void,
): Promise<void> {
  const watch = new Watch(kube, path, options, onEvent);
  try {
    await watch.run();
  } catch (thrown) {
    if (!options.signal.aborted) throw thrown;
  }
}

/** What is remembered of each object, by UID: enough to find what changed while the watch was interrupted. */
type Known = Map<string, { readonly metadata: JsonObject }>;

class Watch {
  readonly #kube: Kube;
  readonly #path: string;
  readonly #options: WatchOptions;
  readonly #onEvent: (event: WatchEvent) => void;
  readonly #known: Known = new Map();
  /** Where the next watch request starts; undefined: list first. */
  #version: string | undefined;
  #interrupted = false;
  readonly #backoff = new Backoff(WATCH_BACKOFF_FIRST_MS, WATCH_BACKOFF_LAST_MS, Math.random);

  constructor(kube: Kube, path: string, options: WatchOptions, onEvent: (event: WatchEvent) => void) {
    this.#kube = kube;
    this.#path = path;
    this.#options = options;
    this.#onEvent = onEvent;
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    await this.#list();
    this.#onEvent({ type: 'synced' });
    while (!signal.aborted) {
      try {
        if (this.#version === undefined) await this.#list();
        await this.#watchOnce();
      } catch (thrown) {
        signal.throwIfAborted();
        if (!(thrown instanceof KsnoopError)) throw thrown;
        if (thrown.code === 'GONE') this.#version = undefined;
        else await this.#wait(thrown);
      }
    }
  }

  async #wait(error: KsnoopError): Promise<void> {
    if (!this.#interrupted) this.#onEvent({ type: 'interrupted', error });
    this.#interrupted = true;
    await sleep(this.#backoff.next(), undefined, { signal: this.#options.signal });
  }

  #isBack(): void {
    this.#backoff.reset();
    if (this.#interrupted) this.#onEvent({ type: 'resumed' });
    this.#interrupted = false;
  }

  async #list(): Promise<void> {
    const gone = new Map(this.#known);
    const { signal, ...selectors } = this.#options;
    const read = () =>
      listPages(this.#kube, { path: this.#path, selectors, signal }, (page) => {
        for (const object of page) {
          gone.delete(uidOf(object));
          this.#emitIfChanged(object);
        }
      });
    const version = await (this.#kube.lists === undefined ? read() : this.#kube.lists.turn(read));
    for (const [uid, object] of gone) {
      this.#known.delete(uid);
      this.#onEvent({ type: 'deleted', object });
    }
    this.#version = version;
  }

  /** An object as it is now: new, changed, or as we knew it. */
  #emitIfChanged(object: JsonObject): void {
    const uid = uidOf(object);
    const metadata = objectAt(object, 'metadata');
    const before = this.#known.get(uid);
    if (before !== undefined && before.metadata.resourceVersion === metadata.resourceVersion) return;
    // Not the labels: they may be as large as the object.
    const { name, namespace, resourceVersion } = metadata;
    this.#known.set(uid, { metadata: { uid, name, namespace, resourceVersion } });
    this.#onEvent({ type: before === undefined ? 'added' : 'modified', object });
  }

  /** One request, until the server ends it, which it does by WATCH_SECONDS. */
  async #watchOnce(): Promise<void> {
    const kube = this.#kube;
    const { signal } = this.#options;
    const response = await open(kube, {
      path: this.#path,
      query: {
        ...selectorQuery(this.#options),
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: this.#version ?? '',
        timeoutSeconds: String(WATCH_SECONDS),
      },
      signal,
    });
    this.#isBack();
    const limit = WATCH_SECONDS * 1000 + WATCH_GRACE_MS;
    const overdue = new Deadline(limit, () => response.destroy(timeout(kube, 'answer', limit)));
    const stop = () => response.destroy();
    signal.addEventListener('abort', stop, { once: true });
    const push = lineSplitter((line) => this.#event(line), WATCH_EVENT_MAXIMUM);
    try {
      for await (const chunk of response) push(chunk);
    } catch (cause) {
      throw connectionFailure(kube, cause);
    } finally {
      overdue.clear();
      signal.removeEventListener('abort', stop);
    }
  }

  #event(line: string): void {
    const event = parseJson(line, 'watch event');
    const object = isObject(event) ? objectAt(event, 'object') : {};
    const type = isObject(event) ? event.type : undefined;
    if (type === 'ERROR') {
      const code = optionalNumber(object, 'code') ?? 500;
      throw refusal(this.#kube, { method: 'GET', path: this.#path, watch: true }, code, JSON.stringify(object));
    }
    this.#version = optionalString(objectAt(object, 'metadata'), 'resourceVersion') ?? this.#version;
    if (type === 'ADDED' || type === 'MODIFIED') this.#emitIfChanged(object);
    if (type === 'DELETED' && this.#known.delete(uidOf(object))) this.#onEvent({ type: 'deleted', object });
  }
}

function uidOf(object: JsonObject): string {
  return optionalString(objectAt(object, 'metadata'), 'uid') ?? '';
}
