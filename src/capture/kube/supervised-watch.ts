import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff } from '../../wire/backoff.ts';
import { type ErrorCode, KsnoopError } from '../../wire/errors.ts';
import type { Selectors } from './api.ts';
import type { Kube } from './kube.ts';
import { WATCH_BACKOFF_FIRST_MS, WATCH_BACKOFF_LAST_MS } from './limits.ts';
import { type WatchEvent, watchObjects } from './watch.ts';

/** Refusals that waiting does not mend. */
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

/** What is watched: a collection, or part of it. */
export interface Watched extends Selectors {
  readonly path: string;
}

/**
 * Watch objects whatever happens, also when the API server is away at the very start.
 * @param name tells this watch from others where its health is told
 * @param onEvent as `watchObjects`; everything there is may be told as `added` more than once
 * @returns true when the signal aborted, false when the server refuses for good; never rejects
 */
export async function superviseWatch(
  kube: Kube,
  name: string,
  watched: Watched,
  health: WatchHealth,
  signal: AbortSignal,
  onEvent: (event: WatchEvent) => void,
): Promise<boolean> {
  const backoff = new Backoff(WATCH_BACKOFF_FIRST_MS, WATCH_BACKOFF_LAST_MS, Math.random);
  while (!signal.aborted) {
    const own = new AbortController();
    let refusal: KsnoopError | undefined;
    try {
      await watchObjects(kube, watched.path, { ...watched, signal: AbortSignal.any([signal, own.signal]) }, (event) => {
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
