import type { PodView } from '../capture/kube/pod.ts';
import type { JsonObject } from '../wire/guard.ts';
import { announceEnd, announceStart, recordedAmounts } from './announcements.ts';
import type { CaptureView } from './capture-object.ts';
import type { Events } from './events.ts';
import { PODS_REMEMBERED } from './limits.ts';
import { type LiveEnd, LiveEnds, type LiveEndsParts } from './live-ends.ts';

interface Started {
  readonly capture: CaptureView;
  /** Those that had an event, by UID. */
  readonly pods: Map<string, PodView>;
}

/**
 * Events of the start and the end of Captures, and of their pods. What had an event of its start is remembered until the end has some,
 * also while a Capture is refused or its targets are looked up anew.
 */
export class CaptureEvents {
  readonly #events: Events;
  readonly #liveEnds: LiveEnds;
  /** By key, `namespace/name`. */
  readonly #started = new Map<string, Started>();

  constructor(parts: LiveEndsParts) {
    this.#events = parts.events;
    this.#liveEnds = new LiveEnds(parts);
  }

  /** These pods are captured or recorded now. */
  started(key: string, capture: CaptureView, pods: readonly PodView[]): void {
    const started = this.#started.get(key) ?? { capture, pods: new Map<string, PodView>() };
    const joined = pods.filter(({ uid }) => !started.pods.has(uid));
    if (joined.length === 0) return;
    this.#started.set(key, started);
    announceStart(this.#events, capture, joined, started.pods.size);
    for (const pod of joined) started.pods.set(pod.uid, pod);
    if (started.pods.size > PODS_REMEMBERED) forgetGone(started.pods, pods);
  }

  /** The pods of a Capture that had events of its start, as far as this controller knows them. */
  podsOf(key: string, { uid }: CaptureView): readonly PodView[] {
    const started = this.#started.get(key);
    return started?.capture.uid === uid ? [...started.pods.values()] : [];
  }

  /** A Capture has ended. @param status that it has now */
  ended(key: string, end: LiveEnd, status: JsonObject): void {
    this.#started.delete(key);
    if (end.capture.recording === undefined) this.#liveEnds.add(end);
    else announceEnd(this.#events, end, recordedAmounts(status));
  }

  /** The object of this key is another one, or gone: clients delete their live Captures at the end. @param uid of the object now */
  replaced(key: string, uid: string): void {
    const started = this.#started.get(key);
    if (started === undefined || started.capture.uid === uid) return;
    this.#started.delete(key);
    const { capture, pods } = started;
    if (capture.recording !== undefined) return;
    this.#liveEnds.add({ capture, message: 'The Capture was deleted.', pods: [...pods.values()] });
  }
}

/** Of a Capture of many days whose pods come and go, the oldest of those that have gone have no events of its end. */
function forgetGone(remembered: Map<string, PodView>, now: readonly PodView[]): void {
  const running = new Set(now.map(({ uid }) => uid));
  for (const uid of remembered.keys()) {
    if (remembered.size <= PODS_REMEMBERED) return;
    if (!running.has(uid)) remembered.delete(uid);
  }
}
