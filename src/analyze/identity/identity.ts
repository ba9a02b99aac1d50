import { clusterOf } from '../../wire/capture-cluster.ts';
import { IDENTITIES_CHARACTERS, IDENTITIES_MAXIMUM } from '../limits.ts';
import { behindSidecar } from './sidecar-address.ts';

/** Who an address is. Interned by IdentityTable: the same facts are the same object. */
export interface Identity {
  readonly pod: string | undefined;
  /** Of the pod, or of the service where there is no pod. */
  readonly namespace: string | undefined;
  readonly service: string | undefined;
  readonly node: string | undefined;
  /** Any other name: a host's, or the address's name in DNS. */
  readonly name: string | undefined;
  /** The cluster, in a capture of several. */
  readonly cluster: string | undefined;
  /**
   * What people are shown: `shop/web-1`, `web.shop`, `node/worker-1` as `worker-1`, `db.example.com`;
   * behind `CLUSTER/` where it has a cluster. Not sanitised.
   */
  readonly text: string;
  /** What the summary groups servers by: the service where it is known, else `text`. */
  readonly group: string;
}

export type IdentityParts = {
  readonly [part in 'pod' | 'namespace' | 'service' | 'node' | 'name' | 'cluster']?: string | undefined;
};

/** Makes identities, each only once, so that they compare by `===` and serve as keys. */
export class IdentityTable {
  /** Facts for which there was no room. */
  refused = 0;
  #characters = 0;
  readonly #known = new Map<string, Identity>();
  /** Groups that are Services of a namespace. Not those of a named cluster: no command for its Service holds without its context. */
  readonly #services = new Set<string>();

  /** By identity: the program behind its sidecar. */
  readonly #programs = new Map<Identity, Identity>();
  readonly #ofPrograms = new Map<Identity, Identity>();

  /** Texts of the pods of a group. */
  podsOf(group: string): Set<string> {
    const pods = [...this.#known.values()].filter((identity) => identity.group === group && identity.pod !== undefined);
    return new Set(pods.map(({ text }) => text));
  }

  /** Texts of all pods, and of the namespaces and processes that `--local` captures in place of pods. */
  pods(): string[] {
    const all = [...this.#known.values()].filter(
      ({ pod, name }) => pod !== undefined || /^(?:netns|pid)\//.test(name ?? ''),
    );
    return [...new Set(all.map(({ text }) => text))];
  }

  /** The identity of these facts; undefined when they name no pod, Service, node or host, or when there is no room for more. */
  get(parts: IdentityParts): Identity | undefined {
    const { pod, namespace, service, node, name, cluster } = parts;
    const inCluster = (text: string) => (cluster === undefined ? text : `${cluster}/${text}`);
    const serviceText =
      service === undefined ? undefined : namespace === undefined ? service : `${service}.${namespace}`;
    const podText = pod === undefined ? undefined : namespace === undefined ? pod : `${namespace}/${pod}`;
    const text = podText ?? serviceText ?? name ?? node;
    if (text === undefined) return undefined;
    const key = JSON.stringify([pod, namespace, service, node, name, cluster]);
    let identity = this.#known.get(key);
    if (identity === undefined) {
      if (this.#known.size >= IDENTITIES_MAXIMUM || this.#characters + key.length > IDENTITIES_CHARACTERS) {
        this.refused += 1;
        return undefined;
      }
      const shown = { text: inCluster(text), group: inCluster(serviceText ?? text) };
      identity = { pod, namespace, service, node, name, cluster, ...shown };
      this.#characters += key.length;
      this.#known.set(key, identity);
      if (serviceText !== undefined && namespace !== undefined && cluster === undefined)
        this.#services.add(serviceText);
    }
    return identity;
  }

  /** The same identity in a group of its own: `web.shop behind its sidecar`. */
  programOf(identity: Identity): Identity {
    let program = this.#programs.get(identity);
    if (program === undefined) {
      program = { ...identity, group: behindSidecar(identity.group) };
      this.#programs.set(identity, program);
      this.#ofPrograms.set(program, identity);
    }
    return program;
  }

  podOfProgram(program: Identity): Identity | undefined {
    return this.#ofPrograms.get(program);
  }

  /** Whether a group is a Service's, `web.shop`, and not another name that looks the same, `github.com`. */
  isService(group: string): boolean {
    return this.#services.has(group);
  }
}

/**
 * The identity in a capture file's name for an address (Name Resolution Blocks as ksnoop writes them): `shop/web-1` is a pod,
 * `web.shop` a service of a namespace, `node/worker-1` a node; anything else is a name.
 */
export function recordedName(text: string): IdentityParts {
  if (text === '') return {};
  const node = /^node\/([^/]+)$/.exec(text);
  if (node !== null) return { node: node[1] };
  const pod = /^([^/.]+)\/([^/]+)$/.exec(text);
  if (pod !== null) return { namespace: pod[1], pod: pod[2] };
  const service = /^([a-z][a-z0-9-]*)\.([a-z0-9][a-z0-9-]*)$/.exec(text);
  if (service !== null) return { service: service[1], namespace: service[2] };
  return { name: text };
}

/**
 * The identity that a DNS name gives to the address in its response (Kubernetes DNS-Based Service Discovery 1.1.0):
 * `web.shop.svc.cluster.local` is a service, `web-0.web.shop.svc.…` a pod of it by its host name; anything else is a name.
 */
export function observedName(text: string): IdentityParts {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  if (name === '') return {};
  const labels = name.split('.');
  const svc = labels.indexOf('svc');
  if (svc === 2) return { service: labels[0], namespace: labels[1] };
  if (svc === 3) return { pod: labels[0], service: labels[1], namespace: labels[2] };
  return { name };
}

/**
 * The pod or node behind an interface, from its name and description: `shop/web-1/any`, `node/worker-1/eth0`; `node=worker-1 pod=…`.
 * With `cluster=CONTEXT` in the description the name begins with `CONTEXT/`.
 */
export function interfaceIdentity(name: string, description: string): IdentityParts {
  const node = /(?:^| )node=(\S+)/.exec(description)?.[1];
  const cluster = clusterOf(description);
  if (cluster === '') return placeIdentity(name, node);
  const parts = placeIdentity(name.startsWith(`${cluster}/`) ? name.slice(cluster.length + 1) : name, node);
  return Object.keys(parts).length === 0 ? {} : { ...parts, cluster };
}

function placeIdentity(name: string, node: string | undefined): IdentityParts {
  const [first, second, ...rest] = name.split('/');
  if (first === undefined || second === undefined || second === '' || rest.length > 1) return {};
  if (first === 'node') return { node: second };
  // `netns/NAME/any` and `pid/N/any` are what `--local` calls a namespace that has no pod.
  if (first === 'netns' || first === 'pid') return { name: `${first}/${second}` };
  if (rest.length === 0) return {};
  return { namespace: first, pod: second, node };
}
