import type { FlowFacts } from '../../flow/flow-facts.ts';
import { FINDING_EXAMPLES, FINDING_SUBJECTS } from '../../limits.ts';
import { Case } from '../cases.ts';
import type { ClusterFacts, EndpointSliceFacts, PodFacts, ServiceFacts } from '../cluster-facts.ts';
import { clientOf, type FindingContext, serverOf } from '../detector.ts';
import { type Finding, withoutPackets } from '../finding.ts';
import { evaluatePolicies, type PolicyVerdict } from '../policy/evaluate.ts';
import { counted, examplesOf, listed, share } from '../words.ts';
import { policyText, targetPortOf } from './policy-closes.ts';
import { selectedPods } from './subject.ts';

/** As CONNECT_TIMEOUT has it: SYNs of one connection, or so many connections. */
const UNANSWERED_SYNS = 3;
const UNANSWERED_CONNECTIONS = 2;

/** Connections from one address to one port of another. */
interface Way {
  readonly client: string;
  readonly server: string;
  readonly port: number;
  readonly subject: string;
  readonly unanswered: Case;
  /** Rejected by ICMP. */
  readonly rejected: Case;
  answered: number;
  insistent: boolean;
  /** Interfaces that saw its packets, `namespace/pod/any`; a few. */
  readonly seenAt: Set<string>;
}

/** What the objects say about a way on which nothing is answered. */
interface Cause {
  readonly code: string;
  readonly subject: string;
  readonly key: string;
  readonly ways: Way[];
  readonly finding: (ways: Case) => Finding;
}

/**
 * Connections that fail, for which the cluster's objects name the cause: a NetworkPolicy that denies them, a traffic policy Local
 * where there is no local endpoint, or a port that the Service does not have.
 */
export class BlockedConnections {
  readonly #context: FindingContext;
  readonly #ways = new Map<string, Way>();

  constructor(context: FindingContext) {
    this.#context = context;
  }

  /** Every flow, on each side of a NAT. */
  flowEnded(facts: FlowFacts): void {
    const { tcp } = facts;
    if (tcp === undefined || tcp.midstream) return;
    const way = this.#wayOf(facts);
    if (way === undefined) return;
    for (const id of [facts.interfaceId, ...(facts.sightings ?? []).map((sighting) => sighting.interfaceId)]) {
      const name = this.#context.interfaceName(id);
      if (name !== undefined && way.seenAt.size < FINDING_EXAMPLES) way.seenAt.add(name);
    }
    if (facts.server.packets > 0) {
      way.answered += 1;
      return;
    }
    if (tcp.state === 'refused' && tcp.resetBy === undefined) {
      way.rejected.add(facts.id, facts.first, clientOf(this.#context, facts, facts.first));
      return;
    }
    if (tcp.state !== 'unanswered' || tcp.syns < 2) return;
    way.unanswered.add(facts.id, facts.first, clientOf(this.#context, facts, facts.first));
    way.insistent ||= tcp.syns >= UNANSWERED_SYNS;
  }

  /** Subjects of which some connection was answered, those from their nodes aside: kubelet always gets through. */
  answered({ pods }: ClusterFacts): ReadonlySet<string> {
    const nodes = new Set(pods === 'unreadable' ? [] : pods.flatMap(({ nodeIps }) => nodeIps));
    const ways = [...this.#ways.values()].filter(({ answered, client }) => answered > 0 && !nodes.has(client));
    return new Set(ways.map(({ subject }) => subject));
  }

  /** @param captured interfaces that were captured, `namespace/pod/any` */
  findings(facts: ClusterFacts, captured: readonly string[]): Finding[] {
    const causes = new Map<string, Cause>();
    for (const way of this.#ways.values()) {
      const { unanswered, insistent, answered } = way;
      if (answered > 0) continue;
      const isSilent = insistent || unanswered.cases >= UNANSWERED_CONNECTIONS;
      const cause =
        (isSilent || way.rejected.cases > 0 ? missingPort(way, facts) : undefined) ??
        (isSilent
          ? (trafficPolicy(way, facts) ?? networkPolicy(way, facts, captured, this.#seenBy(way.client)))
          : undefined);
      if (cause === undefined) continue;
      const known = causes.get(cause.key);
      if (known === undefined) causes.set(cause.key, cause);
      else known.ways.push(way);
    }
    return [...causes.values()].map(({ finding, ways }) => finding(together(ways)));
  }

  /** Where packets of a client arrived: `address port` and the interfaces. */
  #seenBy(client: string): ReadonlyMap<string, ReadonlySet<string>> {
    const seen = new Map<string, ReadonlySet<string>>();
    for (const way of this.#ways.values()) if (way.client === client) seen.set(`${way.server} ${way.port}`, way.seenAt);
    return seen;
  }

  #wayOf(facts: FlowFacts): Way | undefined {
    const { hosts } = this.#context;
    if (facts.clientHost < 0 || facts.serverHost < 0) return undefined;
    const client = hosts.text(facts.clientHost);
    const server = hosts.text(facts.serverHost);
    const key = `${client} ${server} ${facts.serverPort}`;
    let way = this.#ways.get(key);
    if (way !== undefined || this.#ways.size >= FINDING_SUBJECTS) return way;
    const subject = serverOf(this.#context, facts, facts.first);
    way = {
      client,
      server,
      port: facts.serverPort,
      subject,
      unanswered: new Case(),
      rejected: new Case(),
      answered: 0,
      insistent: false,
      seenAt: new Set(),
    };
    this.#ways.set(key, way);
    return way;
  }
}

function together(ways: readonly Way[]): Case {
  const all = new Case();
  for (const { unanswered, rejected } of ways) {
    const failed = rejected.cases > 0 ? rejected : unanswered;
    all.cases += failed.cases;
    all.attempts += failed.cases;
    all.first = Number.isNaN(all.first) ? failed.first : Math.min(all.first, failed.first);
    all.last = Number.isNaN(all.last) ? failed.last : Math.max(all.last, failed.last);
    for (const flow of failed.flows) if (all.flows.length < FINDING_EXAMPLES) all.flows.push(flow);
    for (const [text, count] of failed.texts) {
      if (all.texts.size < FINDING_EXAMPLES || all.texts.has(text))
        all.texts.set(text, (all.texts.get(text) ?? 0) + count);
      else all.areTextsCut = true;
    }
    if (failed.areTextsCut) all.areTextsCut = true;
  }
  return all;
}

/** The pod that has an address for itself; undefined where several may have it. */
export function podAt(address: string, { pods }: ClusterFacts): PodFacts | undefined {
  if (pods === 'unreadable') return undefined;
  const found = pods.filter(
    ({ ips, phase, hostNetwork }) =>
      ips.includes(address) && !hostNetwork && phase !== 'Succeeded' && phase !== 'Failed',
  );
  return found.length === 1 ? found[0] : undefined;
}

/** The Service that has an address and TCP port of its own. */
export function serviceAt(way: Pick<Way, 'server' | 'port'>, { services }: ClusterFacts) {
  if (services === 'unreadable') return undefined;
  for (const service of services) {
    const port = service.ports.find((one) => one.port === way.port && one.protocol === 'TCP');
    if (port !== undefined && service.clusterIPs.includes(way.server)) return { service, port };
  }
  return undefined;
}

/** SERVICE_PORT_MISSING: connections to a Service's own address fail at a port that it does not have. */
function missingPort(way: Way, { services }: ClusterFacts): Cause | undefined {
  const { server, port } = way;
  if (services === 'unreadable') return undefined;
  const service = services.find(({ clusterIPs }) => clusterIPs.includes(server));
  if (service === undefined) return undefined;
  const ports = service.ports.filter(({ protocol }) => protocol === 'TCP');
  if (ports.some((one) => one.port === port)) return undefined;
  const { namespace, name } = service;
  const subject = `${name}.${namespace}`;
  const shown = ports.map((one) => `${one.name ?? ''} ${one.port}`.trim());
  return {
    code: 'SERVICE_PORT_MISSING',
    subject,
    key: `SERVICE_PORT_MISSING ${subject} ${port}`,
    ways: [way],
    finding: (found) => ({
      code: 'SERVICE_PORT_MISSING',
      severity: 'error',
      confidence: 'proven',
      subject,
      message: `${subject} has no port ${port}: ${counted(found.cases, 'connection')} to it failed.`,
      evidence: [
        withoutPackets(`its TCP ports are ${listed(shown, 5) || 'none'}`),
        found.evidence(
          `connections of ${examplesOf(found)} to port ${port} got an ICMP rejection or no response`,
          'code == "TCP_REFUSED" || code == "TCP_NO_ANSWER"',
        ),
      ],
      next: `Correct the port at the client, or add it: kubectl edit service -n ${namespace} ${name}`,
      otherwise: undefined,
      cases: found.cases,
      attempts: found.attempts,
    }),
  };
}

/** NETWORK_POLICY_DROPS: the policies deny all that the connection may lead to, and nothing of it arrived there. */
function networkPolicy(
  way: Way,
  facts: ClusterFacts,
  captured: readonly string[],
  seen: ReadonlyMap<string, ReadonlySet<string>>,
): Cause | undefined {
  const { pods, networkPolicies: policies, namespaces } = facts;
  if (pods === 'unreadable' || policies === 'unreadable' || policies.length === 0) return undefined;
  const direct = podAt(way.server, facts);
  const behind = serviceAt(way, facts);
  const servers = direct !== undefined ? [direct] : behind === undefined ? [] : selectedPods(behind.service, pods);
  const client = podAt(way.client, facts);
  const verdicts: (PolicyVerdict & { verdict: 'denied' })[] = [];
  let isProven = servers.length > 0;
  for (const pod of servers) {
    const [address] = pod.ips;
    const port = direct !== undefined ? way.port : targetPortOf(behind?.port.targetPort ?? way.port, 'TCP', pod);
    if (address === undefined || port === undefined) return undefined;
    const from = { address: way.client, pod: client };
    const verdict = evaluatePolicies({ from, to: { address, pod }, port, protocol: 'TCP' }, { policies, namespaces });
    if (verdict.verdict !== 'denied') return undefined;
    verdicts.push(verdict);
    const isOfPod = (name: string) => name.startsWith(`${pod.namespace}/${pod.name}/`);
    // What arrived at the pod was not dropped by a policy.
    if ([...(seen.get(`${address} ${port}`) ?? [])].some(isOfPod)) return undefined;
    if (!captured.some(isOfPod)) isProven = false;
  }
  const [first] = verdicts;
  if (first === undefined) return undefined;
  const by = first.by[0];
  const names = [...new Set(verdicts.flatMap((verdict) => verdict.by.map(({ name }) => name)))];
  const { subject } = way;
  const directionText = first.direction === 'ingress' ? 'into the server' : 'out of the client';
  return {
    code: 'NETWORK_POLICY_DROPS',
    subject,
    key: `NETWORK_POLICY_DROPS ${subject} ${first.direction} ${names}`,
    ways: [way],
    finding: (found) => ({
      code: 'NETWORK_POLICY_DROPS',
      severity: 'error',
      confidence: isProven ? 'proven' : 'likely',
      subject,
      message: `Connections to ${subject} are denied by ${policyText(names)}: ${share(found, 'connection')} got no response to the SYN.`,
      evidence: [
        withoutPackets(`no rule of ${policyText(names)} allows these connections ${directionText}`),
        found.evidence(
          `SYNs of ${examplesOf(found)} got no response${isProven ? ' and did not arrive at the pods' : ''}`,
          'code == "TCP_NO_ANSWER"',
        ),
      ],
      next: `kubectl describe networkpolicy -n ${by?.namespace ?? ''} ${by?.name ?? ''}`,
      otherwise: isProven ? undefined : 'the network plugin does not enforce NetworkPolicies, and the server is down',
      cases: found.cases,
      attempts: found.attempts,
    }),
  };
}

/** TRAFFIC_POLICY_NO_LOCAL_ENDPOINT: the Service's policy is Local, and the node where it is applied has no ready endpoint. */
function trafficPolicy(way: Way, facts: ClusterFacts): Cause | undefined {
  const { services, endpointSlices, pods } = facts;
  if (services === 'unreadable' || endpointSlices === 'unreadable' || pods === 'unreadable') return undefined;
  const inside = serviceAt(way, facts);
  const local =
    inside !== undefined
      ? {
          service: inside.service,
          policy: inside.service.internalTrafficPolicy,
          member: 'internalTrafficPolicy',
          node: podAt(way.client, facts)?.node,
        }
      : byNodePort(way, services, pods);
  if (local === undefined || local.policy !== 'Local' || local.node === undefined) return undefined;
  const { service, member, node } = local;
  const ready = readyOf(service, endpointSlices);
  // Without any endpoint another finding says so.
  if (ready.length === 0 || ready.some((endpoint) => endpoint.node === undefined || endpoint.node === node))
    return undefined;
  const subject = `${service.name}.${service.namespace}`;
  const elsewhere = [...new Set(ready.map((endpoint) => endpoint.node ?? ''))];
  return {
    code: 'TRAFFIC_POLICY_NO_LOCAL_ENDPOINT',
    subject,
    key: `TRAFFIC_POLICY_NO_LOCAL_ENDPOINT ${subject} ${node}`,
    ways: [way],
    finding: (found) => ({
      code: 'TRAFFIC_POLICY_NO_LOCAL_ENDPOINT',
      severity: 'error',
      confidence: 'proven',
      subject,
      message: `Node ${node} has no endpoint of ${subject}, whose ${member} is Local: ${share(found, 'connection')} got no response to the SYN.`,
      evidence: [
        withoutPackets(`ready endpoints are on ${listed(elsewhere, 3)} alone`),
        found.evidence(`SYNs of ${examplesOf(found)} got no response`, 'code == "TCP_NO_ANSWER"'),
      ],
      next: `Set ${member} to Cluster, or run a pod of the Service on node ${node}: kubectl edit service -n ${service.namespace} ${service.name}`,
      otherwise: undefined,
      cases: found.cases,
      attempts: found.attempts,
    }),
  };
}

/** A Service by the port that it has on every node, and the node that was connected to. */
function byNodePort(way: Way, services: readonly ServiceFacts[], pods: readonly PodFacts[]) {
  const node = pods.find(({ nodeIps }) => nodeIps.includes(way.server))?.node;
  if (node === undefined) return undefined;
  const service = services.find(({ ports }) =>
    ports.some((one) => one.nodePort === way.port && one.protocol === 'TCP'),
  );
  return service && { service, policy: service.externalTrafficPolicy, member: 'externalTrafficPolicy', node };
}

function readyOf({ namespace, name }: ServiceFacts, slices: readonly EndpointSliceFacts[]) {
  return slices
    .filter((slice) => slice.namespace === namespace && slice.service === name)
    .flatMap(({ endpoints }) => endpoints.filter(({ ready }) => ready));
}
