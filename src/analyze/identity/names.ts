import { clusterOf } from '../../wire/capture-cluster.ts';
import { DISPUTED_MAXIMUM, NAMED_ADDRESSES_MAXIMUM } from '../limits.ts';
import type { Hosts } from './hosts.ts';
import {
  type Identity,
  type IdentityParts,
  IdentityTable,
  interfaceIdentity,
  observedName,
  recordedName,
} from './identity.ts';
import { isShared } from './shared-address.ts';

/** How often an address may change hands, per source; past it the oldest are forgotten, which is counted. */
export const NAMES_PER_ADDRESS = 64;

/** Names of which it is remembered what the last response with them said. */
const OBSERVED_MAXIMUM = 4096;

/** Who had an address from `since` (ns since the analysis' first packet) until the next one's; undefined where the owner is unknown. */
interface Tenure {
  readonly since: number;
  readonly identity: Identity | undefined;
}

/**
 * Of one address: who it was by the cluster's word, whose interface used it, and what DNS called it; and the last answer with
 * its validity.
 */
interface Entry {
  readonly known: Tenure[];
  readonly local: Tenure[];
  readonly observed: Tenure[];
  /** Another interface uses the address of `local`: since when, and how many flows began there. */
  rival: { readonly identity: Identity; readonly since: number; flows: number } | undefined;
  from: number;
  until: number;
  answer: Identity | undefined;
}

/** What the last DNS response with a name said. */
interface Observed {
  readonly identity: Identity;
  readonly address: string;
  readonly entry: Entry | undefined;
}

/**
 * Flows that must begin with an address at another interface, and none at the one before, until it is taken to have moved: a
 * single packet may be forged.
 */
const MOVED_FLOWS = 3;

/**
 * Who has an address at a time. Names from the cluster or the capture file take precedence over names from packets; an address
 * that was recycled is named by who had it at the packet's time, and before the first that is known by the first.
 */
export class Names {
  /** Addresses past NAMED_ADDRESSES_MAXIMUM, tenures past NAMES_PER_ADDRESS of one address. */
  #dropped = 0;
  readonly #hosts: Hosts | undefined;
  readonly #identities = new IdentityTable();
  readonly #byAddress = new Map<string, Entry>();
  /** By host number: the address' entry, or at which count of addresses it was seen to have none. */
  readonly #byHost: (Entry | undefined)[] = [];
  /** By name and cluster. Most responses say again what the last one said. */
  readonly #observed = new Map<string, Observed>();
  /** By interface: the number of its cluster. */
  readonly #clusters: number[] = [];
  #checkedAt = new Int32Array(1024).fill(-1);
  /** Names of nodes, from the descriptions of interfaces. */
  readonly #nodes = new Set<string>();
  readonly #interfaces: (Identity | undefined)[] = [];
  /** Addresses that the cluster gives to one pod and whose packets came from another's interface. */
  readonly #disputed = new Set<string>();
  /** By host number: 1 for an address of this machine alone (127.0.0.0/8, ::1), 2 for any other; 0 not known yet. */
  #loopback = new Uint8Array(1024);

  #changes = 0;
  /** An address had two owners, one after the other. */
  #areTimed = false;

  /** @param hosts whose numbers `ofHost` is asked with */
  constructor(hosts?: Hosts) {
    this.#hosts = hosts;
  }

  /** Another number after each change of what `ofHost` returns; undefined where that also depends on the time. */
  get version(): number | undefined {
    return this.#areTimed ? undefined : this.#changes;
  }

  /** Addresses used at the interface of a pod that is not the cluster's owner of them: the cluster's word holds. */
  get disputed(): ReadonlySet<string> {
    return this.#disputed;
  }

  /** Names beyond the bounds: of addresses, of one address, of identities. */
  get forgotten(): number {
    return this.#dropped + this.#identities.refused;
  }

  /**
   * What the capture file calls an address (Name Resolution Block).
   * @param address RFC 5952 text
   * @param called all its names: the pod's, and the Service's that it answers for; of several the last
   * @param since ns since the first packet: the time of the last packet before the block; nothing for the file's start
   * @param cluster the number of the cluster whose address it is
   */
  addRecord(address: string, called: readonly string[], since = Number.NEGATIVE_INFINITY, cluster = 0): void {
    // A host-network pod's address goes by its node's bare name.
    const all = called.map((name) => (this.#nodes.has(name) ? { node: name } : recordedName(name)));
    const pod = all.findLast((parts) => parts.pod !== undefined);
    if (pod === undefined) {
      this.add(address, all.at(-1) ?? {}, since, cluster);
      return;
    }
    const services = all.flatMap((parts) =>
      parts.service !== undefined && parts.namespace === pod.namespace ? [parts.service] : [],
    );
    this.add(address, { ...pod, service: namesake(services, pod.pod) ?? services.at(-1) }, since, cluster);
  }

  /** A pod as it answers for the Service whose address was seen to lead to it; the pod as it is where that is not known. */
  serving(pod: Identity | undefined, service: Identity | undefined): Identity | undefined {
    if (pod?.pod === undefined || service?.service === undefined || service.namespace !== pod.namespace) return pod;
    if (service.cluster !== pod.cluster) return pod;
    if (service.service === pod.service) return pod;
    return this.#identities.get({ ...pod, service: service.service }) ?? pod;
  }

  /** A pod or Service as its program is, of which its own sidecar makes requests: counted apart from what others request of it. */
  programOf(server: Identity): Identity {
    return this.#identities.programOf(server);
  }

  /** Of which pod or Service an identity is the program (programOf); undefined for any other. */
  podOfProgram(program: Identity): Identity | undefined {
    return this.#identities.podOfProgram(program);
  }

  /** What a DNS answer at `time` called the address. @param cluster the number of the cluster in which it was seen */
  addObserved(address: string, name: string, time: number, cluster = 0): void {
    const key = entryKey(name, cluster);
    const before = this.#observed.get(key);
    if (before?.address === address) {
      const last = before.entry?.observed.at(-1);
      if (last?.identity === before.identity && last.since <= time) return;
    }
    const identity = before?.identity ?? this.#identities.get(this.#inCluster(observedName(name), cluster));
    // An address that does not fit into the table is not thereby without an owner.
    if (identity === undefined) return;
    this.#add(address, cluster, 'observed', { identity, since: time });
    if (this.#observed.size >= OBSERVED_MAXIMUM) this.#observed.clear();
    this.#observed.set(key, { identity, address, entry: this.#byAddress.get(entryKey(address, cluster)) });
  }

  /** Who has an address from `since` on, from the cluster; no parts: it has no owner from then on. */
  add(address: string, parts: IdentityParts, since: number, cluster = 0): void {
    const { refused } = this.#identities;
    const identity = this.#identities.get(this.#inCluster(parts, cluster));
    if (this.#identities.refused === refused) this.#add(address, cluster, 'known', { identity, since });
  }

  /** The interface `id` of the analysis, as the capture names and describes it. */
  addInterface(id: number, name: string, description = ''): void {
    const parts = interfaceIdentity(name, description);
    this.#interfaces[id] = this.#identities.get(parts);
    this.#changes += 1;
    this.#clusters[id] = this.#hosts?.clusters.number(clusterOf(description)) ?? 0;
    if (parts.node !== undefined) this.#nodes.add(parts.node);
  }

  /** The number of an interface's cluster; 0 where it is of no named one. */
  clusterOfInterface(id: number): number {
    return this.#clusters[id] ?? 0;
  }

  /** Whose interface it is; undefined where its name does not show that. */
  ofInterface(id: number): Identity | undefined {
    return this.#interfaces[id];
  }

  /** Whether a group is a Service's, and not another name that looks the same. */
  isService(group: string): boolean {
    return this.#identities.isService(group);
  }

  /** The captured pods that answer for a Service. @param group the Service's */
  capturedPodsOf(group: string): string[] {
    const pods = this.#identities.podsOf(group);
    return this.capturedPods().flatMap(({ text }) => (pods.has(text) ? [text] : []));
  }

  /** Texts of all pods that the capture names, captured or not. */
  pods(): string[] {
    return this.#identities.pods();
  }

  /** Pods whose interfaces are captured, each once. */
  capturedPods(): Identity[] {
    const pods = this.#interfaces.filter((identity) => identity?.pod !== undefined);
    return [...new Map(pods.map((identity) => [identity?.text, identity as Identity])).values()];
  }

  /**
   * A packet left (or entered) through a pod's interface, or a named namespace's: its source (or destination) is its own. Of a
   * node's interface nothing follows, for nodes forward. It names only what has no name: a packet may be forged. Cheap enough
   * for every new flow.
   */
  sawLocal(host: number, interfaceId: number, time: number): void {
    const identity = this.#interfaces[interfaceId];
    if (identity === undefined || host < 0 || this.#hosts === undefined) return;
    if (identity.pod === undefined && identity.name === undefined) return;
    if (this.#isLoopback(host)) return;
    const known = this.ofHost(host, time, -1);
    if (known?.pod === identity.pod && known?.namespace === identity.namespace && known?.name === identity.name) {
      const entry = this.#byHost[host];
      if (entry !== undefined) entry.rival = undefined;
      return;
    }
    const address = this.#hosts.text(host);
    const number = this.#hosts.clusterNumber(host);
    const entry = this.#byAddress.get(entryKey(address, number));
    const cluster = entry?.known[tenureAt(entry.known, time)]?.identity;
    if (cluster !== undefined) {
      if (cluster.pod !== undefined && identity.pod !== undefined && this.#disputed.size < DISPUTED_MAXIMUM) {
        this.#disputed.add(address);
      }
      return;
    }
    const owner = entry?.local.at(-1)?.identity;
    if (entry === undefined || owner === undefined) {
      if (known === undefined) this.#add(address, number, 'local', { identity, since: time });
      return;
    }
    if (entry.rival?.identity !== identity) entry.rival = { identity, since: time, flows: 0 };
    entry.rival.flows += 1;
    if (entry.rival.flows < MOVED_FLOWS) return;
    this.#add(address, number, 'local', { identity, since: entry.rival.since });
    entry.rival = undefined;
  }

  /**
   * Who a host is at a time.
   * @param host a number of the analysis' Hosts, -1 for no address
   * @param time ns since the first packet
   * @param interfaceId where the packet was seen: 127.0.0.1 is whose interface it is; -1 when not known
   */
  ofHost(host: number, time: number, interfaceId: number): Identity | undefined {
    if (host < 0) return undefined;
    if (interfaceId >= 0 && this.#isLoopback(host)) return this.#interfaces[interfaceId];
    const entry = this.#byHost[host] ?? this.#find(host);
    if (entry === undefined) return undefined;
    if (time >= entry.from && time < entry.until) return entry.answer;
    return answerAt(entry, time);
  }

  /** Who an address (RFC 5952 text) is at a time. @param cluster the number of the cluster whose address it is */
  ofAddress(address: string, time: number, cluster = 0): Identity | undefined {
    const entry = this.#byAddress.get(entryKey(address, cluster));
    return entry === undefined ? undefined : answerAt(entry, time);
  }

  #find(host: number): Entry | undefined {
    if (this.#hosts === undefined) return undefined;
    if (host >= this.#checkedAt.length) this.#checkedAt = grown(this.#checkedAt, host);
    if (this.#checkedAt[host] === this.#byAddress.size) return undefined;
    const entry = this.#byAddress.get(entryKey(this.#hosts.text(host), this.#hosts.clusterNumber(host)));
    if (entry === undefined) this.#checkedAt[host] = this.#byAddress.size;
    else this.#byHost[host] = entry;
    return entry;
  }

  #isLoopback(host: number): boolean {
    if (host >= this.#loopback.length) {
      const larger = new Uint8Array(Math.max(host + 1, this.#loopback.length * 2));
      larger.set(this.#loopback);
      this.#loopback = larger;
    }
    let kind = this.#loopback[host];
    if (kind === 0) {
      const text = this.#hosts?.text(host) ?? '';
      kind = text.startsWith('127.') || text === '::1' ? 1 : 2;
      this.#loopback[host] = kind;
    }
    return kind === 1;
  }

  #inCluster(parts: IdentityParts, cluster: number): IdentityParts {
    const name = this.#hosts?.clusters.name(cluster) ?? '';
    return name === '' ? parts : { ...parts, cluster: name };
  }

  #add(address: string, cluster: number, list: 'known' | 'local' | 'observed', { identity, since }: Tenure): void {
    // Many hosts listen to a multicast address: receiving a packet for it does not make it the receiver's.
    if (isShared(address)) return;
    const key = entryKey(address, cluster);
    let entry = this.#byAddress.get(key);
    if (entry === undefined) {
      if (this.#byAddress.size >= NAMED_ADDRESSES_MAXIMUM) {
        this.#dropped += 1;
        return;
      }
      entry = { known: [], local: [], observed: [], rival: undefined, from: 0, until: 0, answer: undefined };
      this.#byAddress.set(key, entry);
    }
    const tenures = entry[list];
    let at = tenures.length;
    while (at > 0 && (tenures[at - 1] as Tenure).since > since) at -= 1;
    const before = tenures[at - 1];
    const merged = this.#merged(before?.identity, identity);
    if (before?.identity !== undefined && before.identity === merged) return;
    if (before !== undefined && (before.since === since || samePod(before.identity, merged))) {
      // More is known of the same pod: it was so all the time.
      tenures[at - 1] = { since: before.since, identity: merged };
    } else {
      tenures.splice(at, 0, { since, identity: merged });
      if (tenures.length > NAMES_PER_ADDRESS) {
        tenures.shift();
        this.#dropped += 1;
      }
    }
    if (tenures.length > 1) this.#areTimed = true;
    this.#changes += 1;
    entry.from = 0;
    entry.until = 0;
  }

  /** One pod's identity from two sources: one has its node, the other only its name. */
  #merged(before: Identity | undefined, now: Identity | undefined): Identity | undefined {
    if (before === undefined || now === undefined || before === now || now.pod === undefined) return now;
    if (before.pod !== now.pod || before.namespace !== now.namespace) return now;
    return this.#identities.get({
      ...now,
      service: now.service ?? before.service,
      node: now.node ?? before.node,
      name: now.name ?? before.name,
    });
  }
}

/** One address is another host's in each cluster. */
function entryKey(address: string, cluster: number): string {
  return cluster === 0 ? address : `${cluster} ${address}`;
}

/** What a workload's controller appends to its name: `-5f4d9-x2x4v`, `-0`. */
const GENERATED = /^(?:-[a-z0-9]+){1,2}$/;

/** Of several Services the one that is called as the pod's workload: `web` of `web-5f4d9-x2x4v`. */
function namesake(services: readonly string[], pod: string | undefined): string | undefined {
  if (services.length < 2 || pod === undefined) return undefined;
  return services.find((service) => pod.startsWith(service) && GENERATED.test(pod.slice(service.length)));
}

function samePod(one: Identity | undefined, other: Identity | undefined): boolean {
  return one?.pod !== undefined && one.pod === other?.pod && one.namespace === other.namespace;
}

function grown(table: Int32Array<ArrayBuffer>, index: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(index + 1, table.length * 2)).fill(-1);
  larger.set(table);
  return larger;
}

/** Finds who it was at a time, and keeps the answer with its validity for the next one who asks. */
function answerAt(entry: Entry, time: number): Identity | undefined {
  const known = tenureAt(entry.known, time);
  const named = entry.known[known]?.identity;
  const local = tenureAt(entry.local, time);
  const observed = tenureAt(entry.observed, time);
  entry.answer = named ?? entry.local[local]?.identity ?? entry.observed[observed]?.identity;
  entry.from = Math.max(
    beginning(entry.known, known),
    beginning(entry.local, local),
    beginning(entry.observed, observed),
  );
  entry.until = Math.min(
    entry.known[known + 1]?.since ?? Number.POSITIVE_INFINITY,
    entry.local[local + 1]?.since ?? Number.POSITIVE_INFINITY,
    entry.observed[observed + 1]?.since ?? Number.POSITIVE_INFINITY,
  );
  return entry.answer;
}

/** The last that had begun by then, or the first there is. */
function tenureAt(tenures: readonly Tenure[], time: number): number {
  let at = tenures.length - 1;
  while (at > 0 && (tenures[at] as Tenure).since > time) at -= 1;
  return at;
}

/** Before the first that is known it is the first. */
function beginning(tenures: readonly Tenure[], at: number): number {
  return at <= 0 ? Number.NEGATIVE_INFINITY : (tenures[at] as Tenure).since;
}
