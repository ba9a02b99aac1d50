import type { AnalysisSession } from '../engine/session.ts';
import type { AlikeTaker } from '../flow/alike.ts';
import type { FlowFacts, FlowIdentity } from '../flow/flow-facts.ts';
import type { Hosts } from '../identity/hosts.ts';
import type { Identity } from '../identity/identity.ts';
import type { Names } from '../identity/names.ts';
import { isSidecarAddress } from '../identity/sidecar-address.ts';
import type { AnalysisEvent, Exchange } from '../record/event.ts';
import type { RepeatedExchanges } from '../record/repeated-exchanges.ts';
import type { NetworkStates } from '../state/network-states.ts';
import type { FindingBounds } from './cases.ts';
import type { Finding } from './finding.ts';
import type { Tallies } from './tallies.ts';
import { type ServiceName, serviceParts } from './words.ts';

/** What detectors may ask. */
export interface FindingContext {
  readonly hosts: Hosts;
  readonly names: Names;
  /** What the kernel had counted in the captured network namespaces; empty where a capture holds no state. */
  readonly states: NetworkStates;
  /** if_name of an interface: `shop/web-1/any`. */
  interfaceName(id: number): string | undefined;
  /** Where detectors note that a bound was reached. */
  readonly bounds?: FindingBounds | undefined;
  /** Agents could not keep up, and analysed a sample of the connections. */
  isSample?(): boolean;
  /** When the capture took place: ns since 1970 of its first packet. */
  epoch(): bigint;
}

/** What a detector may ask besides. */
export interface DetectorContext extends FindingContext {
  /** What was counted of what it does not get. */
  readonly tallies: Tallies;
}

/** Protocols whose exchanges are requests: not those of DNS and TLS, which have detectors of their own. */
export function isOfRequests(protocol: string): boolean {
  return protocol !== 'dns' && protocol !== 'tls';
}

/** What the detectors of an analysis may ask. */
export function contextOf({ capture, names, states, interfaces }: AnalysisSession): FindingContext {
  const { hosts, clock } = capture.analysis;
  return {
    hosts,
    names,
    states,
    interfaceName: (id) => interfaces[id]?.name,
    isSample: () => capture.found.sample !== undefined,
    epoch: () => clock.absolute(0),
  };
}

/** Looks for one finding or a family of them. Its memory is bounded (cases.ts). */
export interface Detector {
  /**
   * Events of connections that count: a connection that is seen before and behind NAT comes once.
   * @param server as serverOf has it
   */
  event?(event: AnalysisEvent, flow: FlowIdentity, server: string): void;
  /** As `event`, of exchanges that an analysis beside an agent has added up; every detector that gets `exchanges` has it. */
  repeated?(repeated: RepeatedExchanges, flow: FlowIdentity, server: string): void;
  /**
   * What takes further exchanges that are as one that `event` got, and in order, for all that differs are times and lengths;
   * undefined where each of them matters, as without it.
   */
  alike?(event: Exchange, flow: FlowIdentity, server: string): AlikeTaker | undefined;
  flowEnded?(facts: FlowFacts): void;
  /**
   * So many connections have ended that an analysis beside an agent has added up; all of their exchanges came as those of one flow.
   * Also of the legs behind NAT. @param time when the last of them began, ns
   */
  connectionsEnded?(count: number, flow: FlowIdentity, time: number): void;
  /** What was found until now. */
  findings(): Finding[];
  /** Whose findings its own explain; without, those of the same subject. */
  explainedSubjects?(): readonly string[];
}

/** A detector as the index lists it. */
export interface DetectorKind {
  /** The codes of its findings. */
  readonly codes: readonly string[];
  /** Codes of what it explains: those findings about the same subject are left out. */
  readonly explains?: Readonly<Record<string, readonly string[]>> | undefined;
  /**
   * Of which protocols it gets all exchanges, and none of others. Without, it gets of all protocols what is out of the
   * ordinary (notable.ts): events, and exchanges that failed, are not whole, or were refused.
   */
  readonly exchanges?: ((protocol: string) => boolean) | undefined;
  /** Of those exchanges it gets only the ones with a pod; of requests to a Service's address those at the pod behind it. */
  readonly ofPods?: true | undefined;
  /** It gets every connection to a server that has a name; without, as all others, only what is out of the ordinary. */
  readonly flows?: 'named' | undefined;
  create(context: DetectorContext): Detector;
}

/** A server for people: its Service where that is known, else its pod, name or address with the port. */
export function serverOf({ hosts, names }: FindingContext, flow: FlowIdentity, time: number): string {
  const { serverHost, serverPort, interfaceId } = flow;
  const known = names.ofHost(serverHost, time, interfaceId);
  return known?.group ?? address(hosts, serverHost, serverPort);
}

/** The identity of a flow's server; undefined where it has no name. */
export function serverIdentity({ names }: FindingContext, flow: FlowIdentity, time: number): Identity | undefined {
  return names.ofHost(flow.serverHost, time, flow.interfaceId);
}

/** The Service that a group is, for commands; undefined for another name, even one that looks the same: `github.com`. */
export function serviceNamed({ names }: FindingContext, group: string): ServiceName | undefined {
  return names.isService(group) ? serviceParts(group) : undefined;
}

/** The pod or node whose network namespace an interface is in: its name without the interface's own. */
export function placeOf(context: FindingContext, interfaceId: number): string {
  return context.interfaceName(interfaceId)?.replace(/\/[^/]*$/, '') || `interface ${interfaceId}`;
}

/**
 * Whether a program of the server's pod listens on the connection's port, from the state of that pod's network namespace:
 * `loopback` where it does so only on 127.0.0.1 or ::1. Undefined where there is no such state, or where it is not whole.
 */
export function listeningState(
  context: FindingContext,
  flow: FlowIdentity,
  time: number,
): 'open' | 'loopback' | 'closed' | undefined {
  const pair = context.states.of(flow.interfaceId);
  const pod = serverIdentity(context, flow, time)?.pod;
  if (pair === undefined || pod === undefined) return undefined;
  if (context.interfaceName(flow.interfaceId)?.split('/').at(-2) !== pod) return undefined;
  let isLoopback = false;
  for (const { state } of [pair.first, pair.last]) {
    if (state.listening === undefined || state.socketsCut === true) return undefined;
    for (const { address, port } of state.listening) {
      if (port !== flow.serverPort) continue;
      if (address !== '::1' && !address.startsWith('127.')) return 'open';
      isLoopback = true;
    }
  }
  return isLoopback ? 'loopback' : 'closed';
}

/** A client for people. */
export function clientOf({ hosts, names }: FindingContext, flow: FlowIdentity, time: number): string {
  const { clientHost, interfaceId } = flow;
  return names.ofHost(clientHost, time, interfaceId)?.text ?? address(hosts, clientHost, 0);
}

/** What a host is called as client and as server alike: its Service where that is known. */
export function groupOf({ hosts, names }: FindingContext, host: number, interfaceId: number, time: number): string {
  return names.ofHost(host, time, interfaceId)?.group ?? (host < 0 ? '' : hosts.label(host));
}

/** Whether a sidecar makes a flow's requests, to the program of its own pod. */
export function isOfSidecar(hosts: Hosts, { clientHost }: FlowIdentity): boolean {
  return clientHost >= 0 && isSidecarAddress(hosts.text(clientHost));
}

/** The text of the last address with a port: exchanges of one connection come in a row. */
let lastHosts: Hosts | undefined;
let lastHost = -1;
let lastPort = -1;
let lastText = '';

function address(hosts: Hosts, host: number, port: number): string {
  if (host === lastHost && port === lastPort && hosts === lastHosts) return lastText;
  lastHosts = hosts;
  lastHost = host;
  lastPort = port;
  lastText = addressText(hosts, host, port);
  return lastText;
}

function addressText(hosts: Hosts, host: number, port: number): string {
  if (host < 0) return 'an unknown host';
  const text = hosts.text(host);
  const cluster = hosts.clusterOf(host);
  const local = port === 0 ? text : text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`;
  return cluster === undefined ? local : `${cluster}/${local}`;
}
