import { KsnoopError } from '../../wire/errors.ts';
import { objectAt } from '../../wire/guard.ts';
import { kindOfOwner } from '../kinds/index.ts';
import type { ResourceKind } from '../kinds/kind.ts';
import type { Ancestor } from '../kinds/pod-selection.ts';
import { find } from '../kube/api.ts';
import type { Discovery } from '../kube/discovery.ts';
import type { Kube } from '../kube/kube.ts';
import { type OwnerView, ownersOf, type PodView } from '../kube/pod.ts';
import { resourcePath } from '../kube/resource.ts';
import { OWNER_DEPTH, OWNERS_REMEMBERED } from '../limits.ts';

/** The owners of pods, up to the object without an owner. Every owner is read once. */
export class Owners {
  readonly #kube: Kube;
  readonly #discovery: Discovery;
  readonly #signal: AbortSignal;
  readonly #above = new Map<string, Promise<readonly OwnerView[]>>();
  /** Owners that could not be read, with the server's messages: whether a pod is theirs is unknown. */
  readonly unread = new Set<string>();

  constructor(kube: Kube, discovery: Discovery, signal: AbortSignal) {
    this.#kube = kube;
    this.#discovery = discovery;
    this.#signal = signal;
  }

  /**
   * Whether a pod descends from an object.
   * @returns undefined when it is unknown, because an owner in between may not be read
   */
  async descends(pod: PodView, from: Ancestor): Promise<boolean | undefined> {
    if (pod.owners.some(({ uid }) => uid === from.uid)) return true;
    if (ownedByNamesake(pod, from)) return true;
    let complete = true;
    let level: readonly OwnerView[] = pod.owners;
    for (let depth = 0; depth < OWNER_DEPTH && level.length > 0; depth++) {
      const above = await Promise.all(
        level.map(async (owner) => {
          try {
            return await this.#ownersOf(owner, pod.namespace);
          } catch (thrown) {
            if (!(thrown instanceof KsnoopError) || this.#signal.aborted) throw thrown;
            this.unread.add(thrown.message);
            complete = false;
            return [];
          }
        }),
      );
      level = above.flat();
      if (level.some(({ uid }) => uid === from.uid)) return true;
    }
    return complete ? false : undefined;
  }

  /** The chain of the owners of a pod, or of another object, the outermost first; of several owners the first, and as far as they can be read. */
  async chain(pod: Pick<PodView, 'owners' | 'namespace'>): Promise<readonly OwnerView[]> {
    const chain: OwnerView[] = [];
    let next = pod.owners[0];
    while (next !== undefined && chain.length < OWNER_DEPTH) {
      chain.unshift(next);
      const above = await this.#ownersOf(next, pod.namespace).catch(() => []);
      next = above[0];
    }
    return chain;
  }

  #ownersOf(owner: OwnerView, namespace: string): Promise<readonly OwnerView[]> {
    const known = this.#above.get(owner.uid);
    if (known !== undefined) return known;
    if (this.#above.size >= OWNERS_REMEMBERED) this.#above.clear();
    const owners = this.#read(owner, namespace);
    this.#above.set(owner.uid, owners);
    // What could not be read now may be readable later.
    owners.catch(() => this.#above.delete(owner.uid));
    return owners;
  }

  async #read(owner: OwnerView, namespace: string): Promise<readonly OwnerView[]> {
    const resource = await this.#resource(owner);
    if (resource === undefined) return [];
    const place = resource.namespaced ? namespace : undefined;
    const object = await find(this.#kube, resourcePath(resource.api, place, resource.plural, owner.name), this.#signal);
    if (object === undefined || objectAt(object, 'metadata').uid !== owner.uid) return [];
    return ownersOf(object);
  }

  async #resource({ apiVersion, kind }: OwnerView): Promise<ResourceKind | undefined> {
    return kindOfOwner(apiVersion, kind) ?? (await this.#discovery.ofKind(apiVersion, kind, this.#signal));
  }
}

/**
 * Whether a pod's owner is called as the object names what it makes: a Deployment's ReplicaSet by its name and the pod
 * template's hash, a CronJob's Job by its name and the scheduled minute. Then there is no need to read that owner, nor
 * a right to.
 */
function ownedByNamesake(pod: PodView, from: Ancestor): boolean {
  const ownedBy = (kind: string, fits: (name: string) => boolean) =>
    pod.owners.some((owner) => owner.kind === kind && fits(owner.name));
  if (from.kind === 'Deployment') {
    const hash = pod.labels['pod-template-hash'];
    return hash !== undefined && ownedBy('ReplicaSet', (name) => name === `${from.name}-${hash}`);
  }
  if (from.kind !== 'CronJob') return false;
  const minute = (name: string) => (name.startsWith(`${from.name}-`) ? name.slice(from.name.length + 1) : '');
  return ownedBy('Job', (name) => /^\d{8,}$/.test(minute(name)));
}
