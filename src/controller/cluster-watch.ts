import { AGENT_NAMESPACE, AGENT_SELECTOR } from '../capture/agent-objects.ts';
import { type ClaimDestination, claimsOf, volumeName } from '../capture/install/claim-destination.ts';
import type { Kube } from '../capture/kube/kube.ts';
import { type PodView, podView } from '../capture/kube/pod.ts';
import { resourcePath } from '../capture/kube/resource.ts';
import { superviseWatch, type WatchHealth } from '../capture/kube/supervised-watch.ts';
import type { WatchEvent } from '../capture/kube/watch.ts';
import { CAPTURE_API } from '../capture/tenant/capture-object.ts';
import { type JsonObject, objectAt, optionalString } from '../wire/guard.ts';
import { keptOf } from './capture-object.ts';
import { POLICY_NAME, type PolicyState, policyState } from './policy.ts';
import type { PolicyHistory } from './policy-history.ts';
import type { ClusterView } from './reconciler.ts';

const ADMISSION = 'admissionregistration.k8s.io/v1';
const POLICIES = 'validatingadmissionpolicies';
const BINDINGS = 'validatingadmissionpolicybindings';

export interface ClusterWatchOptions {
  readonly kube: Kube;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  readonly history: PolicyHistory;
  /** A Capture is new, changed or deleted: its `namespace/name`. */
  readonly onCapture: (key: string) => void;
  /** What all Captures depend on has changed: an agent, the policy. */
  readonly onOther: () => void;
}

/** Watches Captures, agents, and the policy and its binding. */
export class ClusterWatch implements ClusterView {
  readonly captures = new Map<string, JsonObject>();
  /** True once all are known; false when the server refuses one of the watches. */
  readonly synced: Promise<boolean>;
  /** Resolves when the signal has aborted, or one of the watches is refused for good. */
  readonly ended: Promise<void>;
  readonly #agents = new Map<string, PodView>();
  /** Claims of the agents' volumes by the volume's name, by UID of the agent's pod. */
  readonly #claims = new Map<string, ReadonlyMap<string, string>>();
  #policy: JsonObject | undefined;
  #binding: JsonObject | undefined;
  readonly #history: PolicyHistory;
  #hasPolicies = false;

  constructor({ kube, signal, log, history, onCapture, onOther }: ClusterWatchOptions) {
    this.#history = history;
    const stop = new AbortController();
    const until = AbortSignal.any([signal, stop.signal]);
    const health = healthOf(log);
    const one = { fieldSelector: `metadata.name=${POLICY_NAME}` };
    const watches = [
      {
        collection: { path: resourcePath(CAPTURE_API, undefined, 'captures') },
        take: (event: WatchEvent) => {
          if ('object' in event) onCapture(this.#takeCapture(event));
        },
      },
      {
        collection: { path: resourcePath('v1', AGENT_NAMESPACE, 'pods'), labelSelector: AGENT_SELECTOR },
        take: (event: WatchEvent) => {
          if ('object' in event && this.#takeAgent(event)) onOther();
        },
      },
      {
        collection: { path: resourcePath(ADMISSION, undefined, POLICIES), ...one },
        take: (event: WatchEvent) => {
          if (!('object' in event)) return;
          this.#policy = event.type === 'deleted' ? undefined : event.object;
          onOther();
        },
      },
      {
        collection: { path: resourcePath(ADMISSION, undefined, BINDINGS), ...one },
        take: (event: WatchEvent) => {
          if (!('object' in event)) return;
          this.#binding = event.type === 'deleted' ? undefined : event.object;
          onOther();
        },
      },
    ].map(({ collection, take }) => {
      const synced = Promise.withResolvers<boolean>();
      const running = superviseWatch({
        kube,
        name: collection.path,
        collection,
        health,
        signal: until,
        onEvent: (event) => {
          take(event);
          if (event.type === 'synced') synced.resolve(true);
        },
      }).finally(() => {
        synced.resolve(false);
        stop.abort();
      });
      return { synced: synced.promise, running };
    });
    this.synced = Promise.all(watches.map(({ synced }) => synced)).then((all) => {
      this.#hasPolicies = all.every((synced) => synced);
      return this.#hasPolicies;
    });
    this.ended = Promise.all(watches.map(({ running }) => running)).then(() => {});
  }

  agentOn(node: string): PodView | undefined {
    return [...this.#agents.values()].find(
      (pod) => pod.nodeName === node && pod.ready && pod.deletionTimestamp === undefined,
    );
  }

  agents(): PodView[] {
    return [...this.#agents.values()];
  }

  agent(uid: string): PodView | undefined {
    return this.#agents.get(uid);
  }

  mounts(agent: string, { name, claim }: ClaimDestination): boolean {
    return this.#claims.get(agent)?.get(volumeName(name)) === claim;
  }

  policy(): PolicyState {
    if (!this.#hasPolicies) return { protects: false, why: 'the admission policy has not been read yet' };
    return policyState(this.#policy, this.#binding, (policy, binding) => this.#history.since(policy, binding));
  }

  #takeCapture(event: Extract<WatchEvent, { object: JsonObject }>): string {
    const metadata = objectAt(event.object, 'metadata');
    const key = `${optionalString(metadata, 'namespace') ?? ''}/${optionalString(metadata, 'name') ?? ''}`;
    // One that was deleted and made again under its name may come in either order.
    const isSame = objectAt(this.captures.get(key) ?? {}, 'metadata').uid === metadata.uid;
    if (event.type !== 'deleted') this.captures.set(key, keptOf(event.object));
    else if (isSame) this.captures.delete(key);
    return key;
  }

  /** @returns whether anything changed that matters */
  #takeAgent(event: Extract<WatchEvent, { object: JsonObject }>): boolean {
    const uid = optionalString(objectAt(event.object, 'metadata'), 'uid') ?? '';
    if (event.type === 'deleted') {
      this.#claims.delete(uid);
      return this.#agents.delete(uid);
    }
    const pod = podView(event.object);
    this.#claims.set(uid, claimsOf(event.object));
    const before = this.#agents.get(uid);
    this.#agents.set(uid, pod);
    return (
      before?.ready !== pod.ready ||
      before.nodeName !== pod.nodeName ||
      before.deletionTimestamp !== pod.deletionTimestamp
    );
  }
}

function healthOf(log: (line: string) => void): WatchHealth {
  const broken = new Set<string>();
  return {
    interrupted(watch, { message }) {
      broken.add(watch);
      log(`the watch of ${watch} is interrupted: ${message}`);
    },
    resumed(watch) {
      if (broken.delete(watch)) log(`the watch of ${watch} works again`);
    },
    refused: (watch, { message }) => log(`the watch of ${watch} is refused: ${message}`),
  };
}
