import { createHash } from 'node:crypto';
import { create } from '../capture/kube/api.ts';
import type { Kube } from '../capture/kube/kube.ts';
import { resourcePath } from '../capture/kube/resource.ts';
import { CAPTURE_API } from '../capture/tenant/capture-object.ts';
import { KsnoopError, messageOf } from '../wire/errors.ts';
import type { CaptureView } from './capture-object.ts';
import { EVENTS_REMEMBERED, EVENTS_WAITING, MESSAGE_MAXIMUM } from './limits.ts';
import { timestamp } from './status.ts';

/** What an event is about. */
export interface Involved {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export function captureInvolved({ namespace, name, uid }: CaptureView): Involved {
  return { apiVersion: CAPTURE_API, kind: 'Capture', namespace, name, uid };
}

/** Writes events (`kubectl describe`), one after the other. Each is written once, also by several controllers in turn. */
export class Events {
  readonly #kube: Kube;
  readonly #reporter: string;
  #waiting = 0;
  #dropped = 0;
  #last: Promise<void> = Promise.resolve();
  /** Names of events that were written: a Capture that is refused for hours has the same one at every look. */
  readonly #names = new Set<string>();

  readonly #log: (line: string) => void;
  /** Whether the last one could be written. */
  #works = true;

  /** @param reporter name of the controller's pod @param log receives when events can no longer be written */
  constructor(kube: Kube, reporter: string, log: (line: string) => void) {
    this.#kube = kube;
    this.#reporter = reporter;
    this.#log = log;
  }

  /** Events that were not written because too many waited. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Resolves when what waits now is written. */
  get written(): Promise<void> {
    return this.#last;
  }

  /**
   * Have an event about an object written, because of a Capture.
   * @param reason one word
   */
  write(capture: CaptureView, involvedObject: Involved, reason: string, message: string): void {
    const digest = createHash('sha256').update([capture.uid, involvedObject.uid, reason].join(' ')).digest('hex');
    const name = `ksnoop-${digest.slice(0, 32)}`;
    if (this.#names.has(name)) return;
    if (this.#waiting >= EVENTS_WAITING) {
      this.#dropped += 1;
      return;
    }
    this.#remember(name);
    const { namespace } = involvedObject;
    const time = timestamp(Date.now());
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { namespace, name },
      involvedObject,
      reason,
      message: message.slice(0, MESSAGE_MAXIMUM),
      type: reason === 'CaptureRefused' ? 'Warning' : 'Normal',
      count: 1,
      firstTimestamp: time,
      lastTimestamp: time,
      source: { component: 'ksnoop-controller' },
      reportingComponent: 'ksnoop.io/controller',
      reportingInstance: this.#reporter,
      action: reason,
    };
    this.#waiting += 1;
    this.#last = this.#last.then(async () => {
      try {
        await create(this.#kube, resourcePath('v1', namespace, 'events'), event);
        this.#works = true;
      } catch (thrown) {
        this.#failed(name, namespace, thrown);
      }
      this.#waiting -= 1;
    });
  }

  /** A namespace that is being deleted takes none; where no event can be written, the first is logged. */
  #failed(name: string, namespace: string, thrown: unknown): void {
    // It exists already.
    if (thrown instanceof KsnoopError && thrown.code === 'CONFLICT') return;
    this.#names.delete(name);
    if (this.#works) this.#log(`an event in namespace ${namespace} was not written: ${messageOf(thrown)}`);
    this.#works = false;
  }

  /** The oldest are forgotten: to write one twice does no harm. */
  #remember(name: string): void {
    this.#names.add(name);
    for (const oldest of this.#names) {
      if (this.#names.size <= EVENTS_REMEMBERED) return;
      this.#names.delete(oldest);
    }
  }
}
