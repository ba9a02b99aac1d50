import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff } from '../../wire/backoff.ts';
import { type ErrorCode, KsnoopError } from '../../wire/errors.ts';
import type { Selectors } from './api.ts';
import type { Kube } from './kube.ts';
import { WATCH_BACKOFF_FIRST_MS, WATCH_BACKOFF_LAST_MS } from './limits.ts';
import { type WatchEvent, watchObjects } from './watch.ts';

/** Refusals that another attempt does not change. */
const FINAL = new Set<ErrorCode>(['FORBIDDEN', 'NOT_FOUND', 'UNAUTHORIZED', 'BAD_REQUEST']);

/** Receives the state of supervised watches, each by its name. */
export interface WatchHealth {
  /** The watch broke; it is tried again. */
  interrupted(watch: string, error: KsnoopError): void;
  /** The watch works (again). */
  resumed(watch: string): void;
  /** The server refuses the watch; it is not tried again. */
  refused(watch: string, error: KsnoopError): void;
}

export interface SupervisedWatch {
  readonly kube: Kube;
  /** The watch's name in `health`. */
  readonly name: string;
  /** The collection, or the part of it, that is watched. */
  readonly collection: Selectors & { readonly path: string };
  readonly health: WatchHealth;
  readonly signal: AbortSignal;
  /** As of `watchObjects`; every object may be reported as `added` more than once. */
  readonly onEvent: (event: WatchEvent) => void;
}

/**
 * Watch objects until the signal aborts, also when the API server cannot be reached at the start.
 * @returns true when the signal aborted, false when the server refuses for good; never rejects
 */
export async function superviseWatch(watch: SupervisedWatch): Promise<boolean> {
  const { kube, name, collection, health, signal, onEvent } = watch;
  const backoff = new Backoff(WATCH_BACKOFF_FIRST_MS, WATCH_BACKOFF_LAST_MS, Math.random);
  while (!signal.aborted) {
    const own = new AbortController();
    let refusal: KsnoopError | undefined;
    try {
      const until = AbortSignal.any([signal, own.signal]);
      await watchObjects(kube, collection.path, { ...collection, signal: until }, (event) => {
        if (event.type === 'synced' || event.type === 'resumed') health.resumed(name);
        if (event.type === 'interrupted') {
          if (FINAL.has(event.error.code)) {
            refusal = event.error;
            own.abort();
          } else health.interrupted(name, event.error);
        }
        onEvent(event);
      });
    } catch (thrown) {
      if (!(thrown instanceof KsnoopError)) throw thrown;
      if (FINAL.has(thrown.code)) refusal = thrown;
      else health.interrupted(name, thrown);
    }
    if (refusal !== undefined) {
      health.refused(name, refusal);
      return false;
    }
    await sleep(backoff.next(), undefined, { signal }).catch(() => {});
  }
  return true;
}
