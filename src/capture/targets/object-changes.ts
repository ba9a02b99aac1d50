import { createHash } from 'node:crypto';
import { type JsonObject, objectAt, optionalString } from '../../wire/guard.ts';
import type { Collection } from '../kinds/kind.ts';
import type { Kube } from '../kube/kube.ts';
import { superviseWatch, type WatchHealth } from '../kube/supervised-watch.ts';

/** Watches objects for changes of what they want: their status and bookkeeping change all the time and mean nothing. */
export class ObjectChanges {
  readonly #known = new Map<string, string>();
  readonly #stop = new AbortController();
  readonly #running: Promise<boolean>;

  /** @param changed called for every change, and once when all there is has been seen: what was found before may be older */
  constructor(kube: Kube, collection: Collection, changed: () => void, health: WatchHealth, signal: AbortSignal) {
    let synced = false;
    const until = AbortSignal.any([signal, this.#stop.signal]);
    this.#running = superviseWatch(kube, JSON.stringify(collection), collection, health, until, (event) => {
      if (event.type === 'synced') {
        synced = true;
        changed();
      }
      if ('object' in event && this.#differs(event.type === 'deleted', event.object) && synced) changed();
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  #differs(deleted: boolean, object: JsonObject): boolean {
    const uid = optionalString(objectAt(object, 'metadata'), 'uid') ?? '';
    if (deleted) return this.#known.delete(uid);
    const now = substance(object);
    if (this.#known.get(uid) === now) return false;
    this.#known.set(uid, now);
    return true;
  }
}

/** What an object says besides its status, as a digest. */
function substance(object: JsonObject): string {
  const { metadata: _metadata, status: _status, ...rest } = object;
  const { labels, annotations } = objectAt(object, 'metadata');
  return createHash('sha256')
    .update(JSON.stringify([labels, annotations, rest]))
    .digest('base64');
}
