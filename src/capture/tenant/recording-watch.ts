import { setTimeout as sleep } from 'node:timers/promises';
import { KsnoopError } from '../../wire/errors.ts';
import { type JsonObject, objectAt, optionalString } from '../../wire/guard.ts';
import type { Kube } from '../kube/kube.ts';
import { resourcePath } from '../kube/resource.ts';
import { superviseWatch } from '../kube/supervised-watch.ts';
import { CAPTURE_API, type MadeCapture } from './capture-object.ts';

/** A Capture as it changes. */
export class RecordingWatch {
  readonly #stop = new AbortController();
  #object: JsonObject | undefined;
  #failure: KsnoopError | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(kube: Kube, { namespace, name, uid }: MadeCapture) {
    void superviseWatch({
      kube,
      name: `Capture ${namespace}/${name}`,
      collection: { path: resourcePath(CAPTURE_API, namespace, 'captures'), fieldSelector: `metadata.name=${name}` },
      health: { interrupted: () => {}, resumed: () => {}, refused: (_, error) => this.#fail(error) },
      signal: this.#stop.signal,
      onEvent: (event) => {
        if (!('object' in event) || optionalString(objectAt(event.object, 'metadata'), 'uid') !== uid) return;
        if (event.type === 'deleted') this.#fail(deleted(namespace, name));
        else this.#object = event.object;
        this.#wake();
      },
    });
  }

  /** `status` as it is known now. */
  get status(): JsonObject {
    return objectAt(this.#object ?? {}, 'status');
  }

  /**
   * Wait for the first state of the object in which `found` gives something.
   * @returns that; undefined after the time
   * @throws KsnoopError when the object is deleted or cannot be watched; the signal's reason
   */
  async until<T>(
    found: (object: JsonObject) => T | undefined,
    ms: number,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    const deadline = performance.now() + ms;
    for (;;) {
      signal.throwIfAborted();
      if (this.#failure !== undefined) throw this.#failure;
      const value = this.#object === undefined ? undefined : found(this.#object);
      if (value !== undefined) return value;
      const left = deadline - performance.now();
      if (left <= 0) return undefined;
      const waited = new AbortController();
      const timer = sleep(left, undefined, { signal: AbortSignal.any([signal, waited.signal]) }).catch(() => {});
      await Promise.race([this.#changed.promise, timer]);
      waited.abort();
    }
  }

  close(): void {
    this.#stop.abort();
  }

  #fail(error: KsnoopError): void {
    this.#failure = error;
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

function deleted(namespace: string, name: string): KsnoopError {
  return new KsnoopError('NO_SUCH_TARGET', `Capture ${namespace}/${name} was deleted.`);
}
