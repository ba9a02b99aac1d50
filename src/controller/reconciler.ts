import type { KeyObject } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { ClaimDestination } from '../capture/install/claim-destination.ts';
import { call } from '../capture/kube/api.ts';
import type { Kube } from '../capture/kube/kube.ts';
import type { PodView } from '../capture/kube/pod.ts';
import { resourcePath } from '../capture/kube/resource.ts';
import { CAPTURE_API } from '../capture/tenant/capture-object.ts';
import { KsnoopError } from '../wire/errors.ts';
import { Gate } from '../wire/gate.ts';
import { isObject, type JsonObject, objectAt } from '../wire/guard.ts';
import { Permissions } from './access.ts';
import { CaptureEvents } from './capture-events.ts';
import { type CaptureView, captureView } from './capture-object.ts';
import { captureInvolved, type Events } from './events.ts';
import { FollowedPods } from './followed-pods.ts';
import { AGAIN_MS, LOOKUPS, RUNNING_MAXIMUM, TARGETS_MAXIMUM, TARGETS_OF_NAMESPACE } from './limits.ts';
import { type Placement, placed } from './placement.ts';
import type { PolicyState } from './policy.ts';
import type { AgentPool } from './recording/agent-pool.ts';
import type { FindDestination } from './recording/destinations.ts';
import { ALLOWED_AGAIN_MS } from './recording/limits.ts';
import { RecordTickets } from './recording/record-tickets.ts';
import { Recordings } from './recording/recordings.ts';
import { type Condition, statusOf, timestamp, type Verdict } from './status.ts';
import { type AgentPods, Tickets } from './tickets.ts';
import { admitted, ended, endOf, policyRefusal, problemWord, type Refusal, refused, settledBy } from './verdict.ts';

/** What the controller's watches have: the state of the cluster as far as it matters here. */
export interface ClusterView {
  /** Captures by `namespace/name`. */
  readonly captures: ReadonlyMap<string, JsonObject>;
  /** The ready agent of a node. */
  agentOn(node: string): PodView | undefined;
  /** The pods of the agents, ready or not. */
  agents(): readonly PodView[];
  /** An agent's pod by its UID. */
  agent(uid: string): PodView | undefined;
  /** Whether an agent has the claim of a destination mounted. @param agent UID of its pod */
  mounts(agent: string, destination: ClaimDestination): boolean;
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
  /** How agents are reached that record. */
  readonly pool: AgentPool;
  /** Where recordings may go. */
  readonly destination: FindDestination;
  readonly log: (line: string) => void;
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
  /** When the requester was last found to be allowed, by `elapsed`. */
  allowedAt: number;
  /** UIDs of pods for which the requester was allowed. */
  allowed: ReadonlySet<string>;
}

/** A Capture that has ended, of which not all is done yet: the last files are not where they belong, or the status is not written. */
interface Ending {
  readonly uid: string;
  /** Something was captured, and its end has no events yet. */
  readonly needsEvents: boolean;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly pods: readonly PodView[];
}

interface Written {
  readonly status: JsonObject;
  readonly resourceVersion: unknown;
}

/** Brings the status of each Capture to what its spec, its requester's permissions and the cluster say. */
export class Reconciler {
  readonly #parts: ReconcilerParts;
  readonly #now: () => number;
  readonly #elapsed: () => number;
  readonly #running = new Map<string, Running>();
  readonly #gate = new Gate(LOOKUPS);
  readonly #permissions: Permissions;
  /** What was written last, and which version of the object was known then: the watch may be behind. */
  readonly #written = new Map<string, Written>();
  readonly #recordings: Recordings;
  readonly #captureEvents: CaptureEvents;
  /** UIDs of the Captures that record, by key: when they go, their recordings go. */
  readonly #uids = new Map<string, string>();
  /** Captures that are ending, by key. */
  readonly #ending = new Map<string, Ending>();

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
    this.#elapsed = parts.elapsed ?? (() => performance.now());
    this.#permissions = new Permissions(parts.kube, parts.signal, this.#elapsed);
    const { cluster } = parts;
    this.#captureEvents = new CaptureEvents({
      ...parts,
      tickets: new RecordTickets(parts.key, this.#now),
      agentOn: (node) => cluster.agentOn(node),
    });
    this.#recordings = new Recordings({
      ...parts,
      now: this.#now,
      agents: () => cluster.agents(),
      agent: (uid) => cluster.agent(uid),
      mounts: (uid, destination) => cluster.mounts(uid, destination),
      captureOf: (uid) => keyOf(cluster.captures, uid),
      refusalOf: ({ namespace, hostNetwork }, requester) =>
        this.#permissions.refusalOf({ namespace, hostNetwork, requester }),
    });
  }

  /** Captures whose pods are followed. */
  get running(): number {
    return this.#running.size;
  }

  /** Begin. All Captures and agents are known from now on. */
  start(): void {
    this.#recordings.start();
  }

  /**
   * Look at one Capture.
   * @param key `namespace/name`
   * @returns milliseconds until it must be looked at again; undefined when nothing changes by itself
   * @throws KsnoopError as the API server's refusals: to be tried again later
   */
  async reconcile(key: string): Promise<number | undefined> {
    const object = this.#parts.cluster.captures.get(key);
    const uid = String(objectAt(object ?? {}, 'metadata').uid);
    const known = this.#uids.get(key);
    if (known !== undefined && known !== uid) this.#gone(key, known);
    this.#captureEvents.replaced(key, uid);
    if (object === undefined) {
      this.#unfollow(key);
      this.#written.delete(key);
      this.#ending.delete(key);
      return undefined;
    }
    let capture: CaptureView;
    try {
      capture = captureView(object);
    } catch (thrown) {
      if (!(thrown instanceof KsnoopError)) throw thrown;
      this.#unfollow(key);
      await this.#refuseUnreadable(key, object, thrown);
      return undefined;
    }
    if (capture.recording !== undefined) this.#uids.set(key, uid);
    if (this.#running.get(key)?.uid !== capture.uid) this.#unfollow(key);
    return await this.#judge(key, capture, object);
  }

  /** End all that is followed. Recordings go on. */
  close(): void {
    this.#recordings.close();
    for (const key of [...this.#running.keys()]) this.#unfollow(key);
  }

  async #judge(key: string, capture: CaptureView, object: JsonObject): Promise<number | undefined> {
    const complete = settledBy(capture) ?? endOf(capture, this.#now());
    if (complete !== undefined) return this.#end(key, capture, object, complete);
    const running = await this.#admit(key, capture);
    if (running === undefined) return undefined;
    if ('reason' in running) return this.#refuse(key, capture, object, running);
    const placement = placed(capture, running.pods.pods.values(), (node) => this.#parts.cluster.agentOn(node));
    const missing = await this.#withdrawn(capture, running, placement.parts);
    if (missing !== undefined) return this.#refuse(key, capture, object, missing);
    const verdict =
      capture.recording === undefined
        ? this.#ticketed(capture, running, placement)
        : await this.#recordings.record(capture, placement, running.pods.problems);
    if ('reason' in verdict) return this.#refuse(key, capture, object, verdict);
    await this.#write(key, capture, object, verdict);
    const captured = placement.parts.flatMap(({ pods }) => pods);
    this.#captureEvents.started(key, capture, captured);
    const isEmpty = placement.parts.length === 0;
    const { problems } = running.pods;
    if (problemWord(problems) !== undefined && isEmpty && this.#now() >= running.since + AGAIN_MS) {
      // What did not exist may have been made since.
      this.#unfollow(key);
      return 0;
    }
    const due = capture.recording === undefined ? running.tickets.dueIn(this.#now()) : this.#recordings.dueIn(capture);
    return Math.min(AGAIN_MS, due, this.#untilEnd(capture));
  }

  /** Whether a Capture may run. @returns undefined while its targets are looked up */
  async #admit(key: string, capture: CaptureView): Promise<Running | Refusal | undefined> {
    const unprotected = policyRefusal(capture, this.#parts.cluster.policy());
    if (unprotected !== undefined) return unprotected;
    const before = this.#running.get(key);
    if (before !== undefined) return before.pods.isFound ? before : undefined;
    const unplaced = this.#recordings.hasBegun(capture) ? undefined : this.#recordings.unplaced(capture);
    if (unplaced !== undefined) return { reason: 'NoDestination', message: unplaced, final: false };
    const full = this.#fullness(capture);
    if (full !== undefined) return { reason: 'TooManyCaptures', message: full, final: false };
    // Before the targets are looked up: what they are is not for everybody either.
    const missing = await this.#permissions.refusalOf(capture);
    if (missing !== undefined) return { reason: 'Forbidden', message: missing, final: false };
    const running = this.#follow(key, capture);
    return running.pods.isFound ? running : undefined;
  }

  /** Ask for the permission again where it is due: on every join, every renewal of a ticket, and from time to time. */
  async #withdrawn(capture: CaptureView, running: Running, parts: readonly AgentPods[]): Promise<Refusal | undefined> {
    const now = this.#now();
    const uids = parts.flatMap(({ pods }) => pods.map(({ uid }) => uid));
    const isDue =
      capture.recording === undefined
        ? running.tickets.areDue(parts, now)
        : this.#elapsed() > running.allowedAt + ALLOWED_AGAIN_MS || uids.some((uid) => !running.allowed.has(uid));
    if (!isDue) return undefined;
    const missing = await this.#permissions.refusalOf(capture);
    if (missing !== undefined) return { reason: 'Forbidden', message: missing, final: false };
    running.allowedAt = this.#elapsed();
    running.allowed = new Set(uids);
    return undefined;
  }

  #ticketed(capture: CaptureView, running: Running, { pods, failed, parts }: Placement): Verdict | Refusal {
    try {
      const tickets = running.tickets.issue(capture, parts, this.#now());
      return admitted(pods, failed, tickets, running.pods.problems);
    } catch (thrown) {
      if (!(thrown instanceof KsnoopError)) throw thrown;
      return { reason: 'Invalid', message: thrown.message, final: true };
    }
  }

  async #refuse(key: string, capture: CaptureView, object: JsonObject, refusal: Refusal): Promise<number> {
    const isRecorded = capture.recording !== undefined && this.#recordings.hasBegun(capture);
    if (isRecorded && refusal.reason === 'Forbidden') {
      const message = `The permission was withdrawn: ${refusal.message}`;
      const complete = { type: 'Complete', status: 'True', reason: 'PermissionWithdrawn', message } as const;
      return (await this.#end(key, capture, object, complete)) ?? AGAIN_MS;
    }
    this.#unfollow(key);
    const verdict = isRecorded ? await this.#recordings.pause(capture, refusal) : refused(refusal);
    await this.#write(key, capture, object, verdict);
    this.#parts.events.write(capture, captureInvolved(capture), 'CaptureRefused', refusal.message);
    return refusal.final ? this.#untilEnd(capture) : Math.min(AGAIN_MS, this.#untilEnd(capture));
  }

  async #end(key: string, capture: CaptureView, object: JsonObject, complete: Condition): Promise<number | undefined> {
    const ending = this.#endingOf(key, capture);
    this.#unfollow(key);
    let status: JsonObject;
    if (capture.recording === undefined || !this.#recordings.hasBegun(capture)) {
      status = await this.#write(key, capture, object, ended(complete));
    } else {
      const verdict = await this.#recordings.end(capture, complete, ending.since);
      status = await this.#write(key, capture, object, verdict);
      if (verdict.phase !== 'Complete') return AGAIN_MS;
    }
    if (ending.needsEvents) {
      this.#captureEvents.ended(key, { capture, message: complete.message, pods: ending.pods }, status);
    }
    if (capture.recording !== undefined) this.#ending.delete(key);
    // The next look may still have the status of before.
    else this.#ending.set(key, { ...ending, needsEvents: false, pods: [] });
    const due = this.#recordings.dueIn(capture);
    return Number.isFinite(due) ? due : undefined;
  }

  /** Since when a Capture has been ending, and of which pods, as far as this controller knows. */
  #endingOf(key: string, capture: CaptureView): Ending {
    const { uid, ends, status } = capture;
    const known = this.#ending.get(key);
    if (known?.uid === uid) return known;
    const pods = this.#captureEvents.podsOf(key, capture);
    const needsEvents = status.phase === 'Running' || pods.length > 0;
    const ending = { uid, needsEvents, since: Math.min(this.#now(), ends), pods };
    this.#ending.set(key, ending);
    return ending;
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
      allowedAt: this.#elapsed(),
      allowed: new Set<string>(),
    };
    this.#running.set(key, running);
    return running;
  }

  /** A Capture of this name is gone, and with it what was recorded of it. */
  #gone(key: string, uid: string): void {
    this.#unfollow(key);
    this.#written.delete(key);
    this.#uids.delete(key);
    this.#ending.delete(key);
    this.#recordings.deleted(uid);
  }

  #unfollow(key: string): void {
    this.#running.get(key)?.pods.stop();
    this.#running.delete(key);
  }

  /** @returns the status that the Capture has then */
  async #write(key: string, capture: CaptureView, object: JsonObject, verdict: Verdict): Promise<JsonObject> {
    const status = statusOf(capture, verdict, this.#now());
    const current = objectAt(object, 'status');
    const { resourceVersion } = objectAt(object, 'metadata');
    const plain: unknown = JSON.parse(JSON.stringify(status));
    if (!isObject(plain)) return current;
    if (Object.keys(plain).every((member) => isWritten(plain[member], current[member]))) return plain;
    const last = this.#written.get(key);
    // Written already, and the watch has not brought it yet.
    if (last?.resourceVersion === resourceVersion && isDeepStrictEqual(last?.status, plain)) return plain;
    await this.#patch(capture.namespace, capture.name, capture.uid, plain);
    this.#written.set(key, { status: plain, resourceVersion });
    return plain;
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

/** `namespace/name` of the Capture with a UID. */
function keyOf(captures: ReadonlyMap<string, JsonObject>, uid: string): string | undefined {
  for (const [key, object] of captures) if (objectAt(object, 'metadata').uid === uid) return key;
  return undefined;
}

/** Whether a status has a member already. null removes what is there. */
function isWritten(wanted: unknown, current: unknown): boolean {
  if (wanted === null) return current === undefined || current === null;
  if (!isObject(wanted) || !isObject(current)) return isDeepStrictEqual(wanted, current);
  return Object.keys(wanted).every((member) => isWritten(wanted[member], current[member]));
}
