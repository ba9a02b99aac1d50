import type { KeyObject } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { call } from '../capture/kube/api.ts';
import { Gate } from '../capture/kube/gate.ts';
import type { Kube } from '../capture/kube/kube.ts';
import { type PodView, podLabel } from '../capture/kube/pod.ts';
import { resourcePath } from '../capture/kube/resource.ts';
import { CAPTURE_API } from '../capture/tenant/capture-object.ts';
import { KsnoopError } from '../wire/errors.ts';
import { isObject, type JsonObject, objectAt } from '../wire/guard.ts';
import type { SealedTicket } from '../wire/ticket.ts';
import { Permissions } from './access.ts';
import { type CaptureView, captureView } from './capture-object.ts';
import { captureInvolved, type Events } from './events.ts';
import { FollowedPods } from './followed-pods.ts';
import { AGAIN_MS, LOOKUPS, RUNNING_MAXIMUM, TARGETS_MAXIMUM, TARGETS_OF_NAMESPACE } from './limits.ts';
import type { PolicyState } from './policy.ts';
import { statusOf, timestamp, type Verdict } from './status.ts';
import { type AgentPods, Tickets } from './tickets.ts';
import { admitted, ended, endOf, policyRefusal, type Refusal, refused } from './verdict.ts';

/** What the controller's watches have: the state of the cluster as far as it matters here. */
export interface ClusterView {
  /** Captures by `namespace/name`. */
  readonly captures: ReadonlyMap<string, JsonObject>;
  /** The ready agent of a node. */
  agentOn(node: string): PodView | undefined;
  policy(): PolicyState;
}

export interface ReconcilerParts {
  readonly kube: Kube;
  readonly cluster: ClusterView;
  readonly events: Events;
  /** Ed25519. */
  readonly key: KeyObject;
  /** Have a Capture looked at soon. */
  readonly enqueue: (key: string) => void;
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Milliseconds of a clock that nobody sets. */
  readonly elapsed?: () => number;
}

/** What is remembered of a Capture that runs. A controller that starts anew knows nothing of it, and needs nothing. */
interface Running {
  readonly uid: string;
  readonly namespace: string;
  /** How many objects the Capture names: each is watched. */
  readonly targets: number;
  readonly pods: FollowedPods;
  readonly tickets: Tickets;
  /** When the targets were looked up, milliseconds since 1970. */
  readonly since: number;
  /** UIDs of pods that have an event. */
  readonly announced: Set<string>;
}

interface Written {
  readonly status: JsonObject;
  readonly resourceVersion: unknown;
}

/** Brings the status of each Capture to what its spec, its requester's permissions and the cluster say. */
export class Reconciler {
  readonly #parts: ReconcilerParts;
  readonly #now: () => number;
  readonly #running = new Map<string, Running>();
  readonly #gate = new Gate(LOOKUPS);
  readonly #permissions: Permissions;
  /** What was written last, and which version of the object was known then: the watch may be behind. */
  readonly #written = new Map<string, Written>();

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
    this.#permissions = new Permissions(parts.kube, parts.signal, parts.elapsed);
  }

  /** Captures whose pods are followed. */
  get running(): number {
    return this.#running.size;
  }

  /**
   * Look at one Capture.
   * @param key `namespace/name`
   * @returns milliseconds until it must be looked at again; undefined when nothing changes by itself
   * @throws KsnoopError as the API server's refusals: to be tried again later
   */
  async reconcile(key: string): Promise<number | undefined> {
    const object = this.#parts.cluster.captures.get(key);
    if (object === undefined) {
      this.#forget(key);
      this.#written.delete(key);
      return undefined;
    }
    let capture: CaptureView;
    try {
      capture = captureView(object);
    } catch (thrown) {
      if (!(thrown instanceof KsnoopError)) throw thrown;
      this.#forget(key);
      await this.#refuseUnreadable(key, object, thrown);
      return undefined;
    }
    if (this.#running.get(key)?.uid !== capture.uid) this.#forget(key);
    return await this.#judge(key, capture, object);
  }

  /** End all that is followed. */
  close(): void {
    for (const key of [...this.#running.keys()]) this.#forget(key);
  }

  async #judge(key: string, capture: CaptureView, object: JsonObject): Promise<number | undefined> {
    const { cluster, events } = this.#parts;
    const complete = endOf(capture, this.#now());
    if (complete !== undefined) {
      const wasRunning = objectAt(object, 'status').phase === 'Running';
      this.#forget(key);
      await this.#write(key, capture, object, ended(complete));
      if (wasRunning) events.write(capture, captureInvolved(capture), 'CaptureComplete', complete.message);
      return undefined;
    }
    const refuse = async (refusal: Refusal) => {
      this.#forget(key);
      await this.#write(key, capture, object, refused(refusal));
      events.write(capture, captureInvolved(capture), 'CaptureRefused', refusal.message);
      return refusal.final ? this.#untilEnd(capture) : Math.min(AGAIN_MS, this.#untilEnd(capture));
    };
    const unprotected = policyRefusal(capture, cluster.policy());
    if (unprotected !== undefined) return refuse(unprotected);
    if (capture.destination !== '') {
      const message = `The administrator has defined no destination ${capture.destination}.`;
      return refuse({ reason: 'NoDestination', message, final: true });
    }
    const before = this.#running.get(key);
    const full = before === undefined ? this.#fullness(capture) : undefined;
    if (full !== undefined) return refuse({ reason: 'TooManyCaptures', message: full, final: false });
    // Before the targets are looked up: what they are is not for everybody either.
    if (before === undefined) {
      const missing = await this.#permissions.refusalOf(capture);
      if (missing !== undefined) return refuse({ reason: 'Forbidden', message: missing, final: false });
    }
    const running = before ?? this.#follow(key, capture);
    if (!running.pods.isFound) return undefined;
    const { parts, failed, pods } = this.#placed(capture, running);
    const now = this.#now();
    if (running.tickets.areDue(parts, now)) {
      // On every join and every renewal.
      const missing = await this.#permissions.refusalOf(capture);
      if (missing !== undefined) return refuse({ reason: 'Forbidden', message: missing, final: false });
    }
    let tickets: SealedTicket[];
    try {
      tickets = running.tickets.issue(capture, parts, now);
    } catch (thrown) {
      if (!(thrown instanceof KsnoopError)) throw thrown;
      return refuse({ reason: 'Invalid', message: thrown.message, final: true });
    }
    await this.#write(key, capture, object, admitted(pods, failed, tickets, running.pods.problems));
    this.#announce(capture, running, parts);
    const isEmpty = parts.length === 0;
    if (running.pods.problems.length > 0 && isEmpty && now >= running.since + AGAIN_MS) {
      // What did not exist may have been made since.
      this.#forget(key);
      return 0;
    }
    return Math.min(AGAIN_MS, running.tickets.dueIn(this.#now()), this.#untilEnd(capture));
  }

  /** Why no more Captures may run; undefined when this one may. */
  #fullness({ namespace, targets }: CaptureView): string | undefined {
    if (this.#running.size >= RUNNING_MAXIMUM) return `${RUNNING_MAXIMUM} Captures run already.`;
    let used = targets.length;
    let all = targets.length;
    for (const other of this.#running.values()) {
      all += other.targets;
      if (other.namespace === namespace) used += other.targets;
    }
    if (all > TARGETS_MAXIMUM)
      return `All Captures would have ${all} targets at the same time, and ${TARGETS_MAXIMUM} are allowed.`;
    if (used <= TARGETS_OF_NAMESPACE) return undefined;
    return `The Captures of namespace ${namespace} would have ${used} targets at the same time, and ${TARGETS_OF_NAMESPACE} are allowed.`;
  }

  #untilEnd({ ends }: CaptureView): number {
    return Math.max(0, ends - this.#now());
  }

  #follow(key: string, capture: CaptureView): Running {
    const { kube, enqueue, key: signingKey } = this.#parts;
    const running = {
      uid: capture.uid,
      namespace: capture.namespace,
      targets: capture.targets.length,
      pods: new FollowedPods(kube, this.#gate, capture, () => enqueue(key)),
      tickets: new Tickets(signingKey),
      since: this.#now(),
      announced: new Set<string>(),
    };
    this.#running.set(key, running);
    return running;
  }

  #forget(key: string): void {
    this.#running.get(key)?.pods.stop();
    this.#running.delete(key);
  }

  /** Which agent captures which pods, and which pods none can. */
  #placed(capture: CaptureView, running: Running) {
    const pods = [...running.pods.pods.values()].sort((a, b) => podLabel(a).localeCompare(podLabel(b)));
    const failed = new Map<PodView, string>();
    const parts = new Map<string, { agent: PodView; pods: PodView[]; hostNetwork: boolean }>();
    for (const pod of pods) {
      const why = this.#obstacle(capture, pod);
      const agent = this.#parts.cluster.agentOn(pod.nodeName);
      if (why !== undefined || agent === undefined) {
        failed.set(pod, why ?? `No agent is ready on node ${pod.nodeName}.`);
        continue;
      }
      const name = `${agent.uid} ${pod.hostNetwork}`;
      const part = parts.get(name) ?? { agent, pods: [], hostNetwork: pod.hostNetwork };
      part.pods.push(pod);
      parts.set(name, part);
    }
    return { pods, failed, parts: [...parts.values()] };
  }

  #obstacle(capture: CaptureView, pod: PodView): string | undefined {
    if (pod.hostNetwork && !capture.hostNetwork) {
      return `Pod ${pod.name} is on its node's network: that needs spec.hostNetwork.`;
    }
    // Its network namespace is found by an annotation that others may write.
    if (pod.configHash !== undefined) return `Pod ${pod.name} is a static pod.`;
    return undefined;
  }

  #announce(capture: CaptureView, running: Running, parts: readonly AgentPods[]): void {
    const { events } = this.#parts;
    const joined = parts.flatMap(({ pods }) => pods).filter(({ uid }) => !running.announced.has(uid));
    if (joined.length === 0) return;
    const filter = capture.filter === '' ? 'all packets' : `packets with filter "${capture.filter}"`;
    const who = `${capture.requester.user} captures ${filter}`;
    if (running.announced.size === 0) {
      events.write(capture, captureInvolved(capture), 'CaptureStarted', `${who} of ${joined.length} pods`);
    }
    for (const pod of joined) {
      running.announced.add(pod.uid);
      const { namespace, name, uid } = pod;
      const involved = { apiVersion: 'v1', kind: 'Pod', namespace, name, uid };
      events.write(capture, involved, 'CaptureStarted', `${who} (Capture ${capture.name})`);
    }
  }

  async #write(key: string, capture: CaptureView, object: JsonObject, verdict: Verdict): Promise<void> {
    const status = statusOf(capture, verdict, this.#now());
    const current = objectAt(object, 'status');
    const { resourceVersion } = objectAt(object, 'metadata');
    const plain: unknown = JSON.parse(JSON.stringify(status));
    if (!isObject(plain) || Object.keys(plain).every((member) => isDeepStrictEqual(plain[member], current[member])))
      return;
    const last = this.#written.get(key);
    // Written already, and the watch has not brought it yet.
    if (last?.resourceVersion === resourceVersion && isDeepStrictEqual(last?.status, plain)) return;
    await this.#patch(capture.namespace, capture.name, capture.uid, plain);
    this.#written.set(key, { status: plain, resourceVersion });
  }

  async #refuseUnreadable(key: string, object: JsonObject, error: KsnoopError): Promise<void> {
    const { uid, generation } = objectAt(object, 'metadata');
    const [namespace = '', name = ''] = key.split('/');
    const time = timestamp(this.#now());
    const { observedGeneration, phase } = objectAt(object, 'status');
    if (phase === 'Refused' && observedGeneration === generation) return;
    const condition = {
      type: 'Admitted',
      status: 'False',
      reason: 'Invalid',
      message: error.message,
      lastTransitionTime: time,
    };
    const status = { observedGeneration: generation, phase: 'Refused', tickets: [], conditions: [condition] };
    await this.#patch(namespace, name, String(uid), status);
  }

  /** An object of the same name that was made since is not changed: the UID must be the same. @throws KsnoopError CONFLICT */
  async #patch(namespace: string, name: string, uid: string, status: JsonObject): Promise<void> {
    try {
      await call(this.#parts.kube, {
        method: 'PATCH',
        path: resourcePath(CAPTURE_API, namespace, 'captures', name, 'status'),
        body: JSON.stringify({ metadata: { uid }, status }),
        contentType: 'application/merge-patch+json',
        signal: this.#parts.signal,
      });
    } catch (thrown) {
      // Deleted meanwhile: the watch brings that.
      if (thrown instanceof KsnoopError && thrown.code === 'NOT_FOUND') return;
      throw thrown;
    }
  }
}
