import { createHash } from 'node:crypto';
import { type JsonObject, objectAt, optionalString } from '../../wire/guard.ts';
import type { Collection } from '../kinds/kind.ts';
import type { Kube } from '../kube/kube.ts';
import { superviseWatch, type WatchHealth } from '../kube/supervised-watch.ts';

/** What every watch of the targets works with. */
export interface WatchContext {
  readonly kube: Kube;
  readonly health: WatchHealth;
  readonly signal: AbortSignal;
}

/** Watches objects for changes of their spec, labels and annotations; changes of their status are ignored. */
export class ObjectChanges {
  readonly #known = new Map<string, string>();
  readonly #stop = new AbortController();
  readonly #running: Promise<boolean>;

  /**
   * @param changed called for every change, and once when all existing objects have been seen: what was found before may be
   *   older
   */
  constructor({ kube, health, signal }: WatchContext, collection: Collection, changed: () => void) {
    let synced = false;
    this.#running = superviseWatch({
      kube,
      name: JSON.stringify(collection),
      collection,
      health,
      signal: AbortSignal.any([signal, this.#stop.signal]),
      onEvent: (event) => {
        if (event.type === 'synced') {
          synced = true;
          changed();
        }
        if ('object' in event && this.#differs(event.type === 'deleted', event.object) && synced) changed();
      },
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

/** A digest of an object without its status. */
function substance(object: JsonObject): string {
  const { metadata: _metadata, status: _status, ...rest } = object;
  const { labels, annotations } = objectAt(object, 'metadata');
  return createHash('sha256')
    .update(JSON.stringify([labels, annotations, rest]))
    .digest('base64');
}
