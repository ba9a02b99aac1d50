import { isIP } from 'node:net';
import { KsnoopError } from '../../wire/errors.ts';
import { arrayAt, objectAt } from '../../wire/guard.ts';
import { objectName } from '../kinds/object.ts';
import { list } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import type { PodView } from '../kube/pod.ts';
import { resourcePath } from '../kube/resource.ts';
import { CALLED_ADDRESSES_MAXIMUM, CALLEES_MAXIMUM, SERVICES_STALE_MS } from '../limits.ts';
import type { FoundPod, TargetEvent } from './followed-targets.ts';
import { Lookups } from './lookups.ts';
import { podAt } from './pod-at.ts';
import { isCapturable } from './target-pods.ts';
import { findTargetSet } from './target-set.ts';

/** Where called pods are searched, and how many of them join. */
export interface CalledPodsOptions {
  /** Where objects are searched when those of all namespaces may not be listed. */
  readonly namespaces: readonly string[];
  /** How many calls away from a target a pod may be; at least 1. */
  readonly depth: number;
  /** Pods that join, at most. */
  readonly maximum: number;
  /** Whether pods that such a Service gets later join, too. */
  readonly follow: boolean;
  /** What the capture calls a pod: `namespace/pod`, in a capture of several clusters behind the cluster's name. */
  readonly labelOf: (pod: PodView) => string;
}

interface Call {
  readonly address: string;
  /** The pod that calls it. */
  readonly caller: string;
  /** How many calls away from a target the called pods are. */
  readonly depth: number;
}

interface NamedService {
  readonly namespace: string;
  readonly name: string;
}

/**
 * `--depth`: Services and pods that a target is seen connecting to are captured as well, and what these connect to, up to a depth.
 * Pods on their node's network do not join: their traffic is their node's.
 */
export class CalledPods {
  readonly #kube: Kube;
  readonly #options: CalledPodsOptions;
  /** How many calls away from a target each captured pod is, by its label. */
  readonly #depths = new Map<string, number>();
  /** The least depth at which each address was called. */
  readonly #known = new Map<string, number>();
  readonly #lookups = new Lookups<Call>((call) => this.#find(call));
  /** By their addresses. */
  readonly #services = new Map<string, NamedService>();
  #servicesRead = Number.NEGATIVE_INFINITY;
  readonly #joined = new Set<string>();
  #callees = 0;
  readonly #noted = new Set<string>();
  readonly #following: Promise<void>[] = [];

  constructor(kube: Kube, options: CalledPodsOptions) {
    this.#kube = kube;
    this.#options = options;
  }

  /** A pod that is a target itself. @param label as the options' `labelOf` has it */
  addTarget(label: string): void {
    this.#depths.set(label, 0);
  }

  /** A captured pod connects to an address. */
  see(label: string, address: string): void {
    const from = this.#depths.get(label);
    if (from === undefined || from >= this.#options.depth) return;
    const depth = from + 1;
    const known = this.#known.get(address);
    if (known !== undefined && known <= depth) return;
    if (known === undefined && this.#known.size >= CALLED_ADDRESSES_MAXIMUM) {
      this.#note(
        `the targets call more than ${CALLED_ADDRESSES_MAXIMUM} addresses; further addresses are not looked up.`,
      );
      return;
    }
    this.#known.set(address, depth);
    this.#lookups.add({ address, caller: label, depth });
  }

  /** Emit the pods of called addresses until the signal aborts. Never rejects. */
  async follow(emit: (event: TargetEvent) => void, signal: AbortSignal): Promise<void> {
    await this.#lookups.follow(emit, signal);
    await Promise.all(this.#following);
  }

  async #find(call: Call): Promise<void> {
    const service = await this.#serviceAt(call.address);
    if (service !== undefined) return this.#joinService(service, call);
    const pod = await podAt(this.#kube, call.address, this.#options.namespaces, this.#lookups.signal);
    if (pod === undefined || !isCapturable(pod)) return;
    const isNew = !this.#depths.has(this.#options.labelOf(pod));
    if (isNew && !this.#hasRoom()) return;
    if (this.#join({ pod, via: [] }, call.depth)) {
      this.#callees += 1;
      this.#lookups.emit({
        type: 'note',
        message: `also captures pod/${pod.name} in ${pod.namespace}: ${call.caller} calls it.`,
      });
    }
  }

  async #joinService(service: NamedService, { caller, depth }: Call): Promise<void> {
    if (!this.#hasRoom()) return;
    const { namespace, name } = service;
    const label = `svc/${name} in ${namespace}`;
    const query = {
      refs: [{ kind: 'service', name, namespace }],
      namespaces: [namespace],
      nodes: [],
      sides: { backends: true, controller: true },
    };
    try {
      const room = this.#options.maximum - this.#joined.size;
      const found = await findTargetSet(this.#kube, query, { maximum: Math.max(room, 0) }, this.#lookups.signal);
      // What cannot be found (a Service without pods) is no matter of the user, who did not name it.
      const joined = found.initial.pods.filter((pod) => this.#join(pod, depth)).length;
      if (joined > 0) {
        this.#callees += 1;
        const pods = joined === 1 ? '1 pod' : `${joined} pods`;
        this.#lookups.emit({ type: 'note', message: `also captures ${label} (${pods}): ${caller} calls it.` });
      }
      if (this.#options.follow && found.growing && (joined > 0 || found.waiting.length > 0))
        this.#following.push(found.follow((event) => this.#change(event, depth), this.#lookups.signal));
    } catch (thrown) {
      if (this.#lookups.signal.aborted) return;
      const reason = thrown instanceof KsnoopError ? thrown.message : String(thrown);
      this.#note(`${label}, which ${caller} calls, is not captured: ${reason}`);
    }
  }

  /** A change of a Service's pods. */
  #change(event: TargetEvent, depth: number): void {
    if (event.type === 'added') this.#join(event, depth);
    // A pod that is a target itself is followed as such.
    else if (event.type === 'gone' && this.#joined.has(event.uid)) this.#lookups.emit(event);
    else if (event.type === 'note') this.#lookups.emit(event);
  }

  /** @returns whether the pod joins now */
  #join({ pod, via }: FoundPod, depth: number): boolean {
    if (pod.hostNetwork) return false;
    const label = this.#options.labelOf(pod);
    const known = this.#depths.get(label);
    if (known !== undefined && !this.#joined.has(pod.uid)) return false;
    const isNew = !this.#joined.has(pod.uid);
    if (isNew && this.#joined.size >= this.#options.maximum) {
      this.#note(`more than ${this.#options.maximum} pods are called (--max-targets); further ones do not join.`);
      return false;
    }
    this.#joined.add(pod.uid);
    this.#depths.set(label, Math.min(depth, known ?? depth));
    this.#lookups.emit({ type: 'added', pod, via: [...via, 'called'] });
    return isNew;
  }

  #hasRoom(): boolean {
    if (this.#callees < CALLEES_MAXIMUM) return true;
    this.#note(`the targets call more than ${CALLEES_MAXIMUM} Services and pods; further ones do not join.`);
    return false;
  }

  #note(message: string): void {
    if (this.#noted.has(message) || !this.#lookups.isRunning) return;
    this.#noted.add(message);
    this.#lookups.emit({ type: 'note', message });
  }

  /** The Service that has an address. Never rejects. */
  async #serviceAt(address: string): Promise<NamedService | undefined> {
    const known = this.#services.get(address);
    if (known !== undefined || performance.now() - this.#servicesRead < SERVICES_STALE_MS) return known;
    this.#servicesRead = performance.now();
    for (const namespace of [undefined, ...this.#options.namespaces]) {
      try {
        const { items } = await list(this.#kube, resourcePath('v1', namespace, 'services'), {}, this.#lookups.signal);
        for (const item of items) {
          const { namespace: place, name } = objectName(item);
          const spec = objectAt(item, 'spec');
          for (const one of [spec.clusterIP, ...arrayAt(spec, 'clusterIPs')])
            if (typeof one === 'string' && isIP(one) !== 0) this.#services.set(one, { namespace: place, name });
        }
        if (namespace === undefined) break;
      } catch {
        // Those of all namespaces may not be listed, or the server cannot be reached: try the next namespace.
      }
    }
    return this.#services.get(address);
  }
}
