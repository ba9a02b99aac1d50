import type { AboutConnection, ConnectionFacts, PoliciesOfConnection } from '../connection-facts.ts';
import type { Hosts } from '../identity/hosts.ts';
import type { Names } from '../identity/names.ts';
import { TRACE_NOT_SEEN } from '../limits.ts';
import type { EventRecord, PeerRecord } from '../record/record.ts';
import { growth, type NetworkStates } from '../state/network-states.ts';
import type { Call, Confidence, ConnectFacts, ConnectOutcome } from './call.ts';
import type { Vantage } from './vantages.ts';

/** Where a connection that did not come up was seen, and where not. */
export interface ConnectRecord {
  readonly outcome: ConnectOutcome;
  /** SYNs at the place nearest to the client; from the first to the last, ns. */
  readonly syns: number;
  readonly span: number;
  /** The place nearest to the server that saw a SYN. */
  readonly lastSeen: string;
  /** Pods of the destination that were captured and did not see it; of a Service those in its namespace. A few. */
  readonly notSeen: readonly string[];
  /** What lies between the last place that saw a SYN and the first that did not, where a SYN got lost. */
  readonly between: Between | undefined;
  /** Where the answer was seen: of a reset the place nearest to the server, of a SYN-ACK the one nearest to the client. */
  readonly answerSeen: string | undefined;
  /** The ICMP error. */
  readonly rejection: string | undefined;
  /** Whether the places are proven to have seen the same connection. */
  readonly confidence: Confidence;
  /** What the kernel counted at these places during the capture that may be the reason; undefined where nothing was, or is not known yet. */
  readonly counters: readonly PlaceCounter[] | undefined;
}

export interface Between {
  /** The node of the last place that saw a SYN, and that of the first that did not; undefined where it is not known. */
  readonly fromNode: string | undefined;
  readonly toNode: string | undefined;
  /** Of a connection to a Service: whether the last place saw a pod's address in place of the Service's. */
  readonly translated: boolean | undefined;
  /** The tunnel that the SYN was in where it was last seen: addresses or names of its ends. */
  readonly tunnel: { readonly kind: string; readonly from: string; readonly to: string } | undefined;
  /** How kube-proxy translates the Service's address. */
  readonly proxyMode: string | undefined;
  /** NetworkPolicies that isolate the pods of the connection. */
  readonly policies: PoliciesOfConnection | undefined;
}

/** By how much a counter of a network namespace rose. */
export interface PlaceCounter {
  readonly place: string;
  /** As docs/state.md: `TcpExt ListenDrops`. */
  readonly counter: string;
  readonly change: number;
}

/** Counters that rise when a SYN is dropped or has no route (proc(5), /proc/net/snmp and netstat). */
const COUNTERS = [
  'TcpExt ListenOverflows',
  'TcpExt ListenDrops',
  'TcpExt TCPReqQFullDrop',
  'TcpExt IPReversePathFilter',
  'TcpExt TCPMD5NotFound',
  'Ip InDiscards',
  'Ip OutDiscards',
  'Ip InAddrErrors',
  'Ip OutNoRoutes',
  'IpExt InNoRoutes',
  'Ip6 Ip6InDiscards',
  'Ip6 Ip6OutDiscards',
  'Ip6 Ip6InNoRoutes',
  'Ip6 Ip6OutNoRoutes',
] as const;

/** What the records are made of. */
export interface ConnectSources {
  readonly names: Names;
  readonly states: NetworkStates;
  readonly hosts: Hosts;
  /** What the cluster's objects show; undefined without a cluster. */
  readonly about: AboutConnection | undefined;
  /** What a place is called; `end` is what the call's end is called where it has no name. */
  place(at: Vantage, end: PeerRecord | undefined): string;
}

/** @param event the connection's, with who connects to whom */
export function connectRecord(
  call: Call,
  facts: ConnectFacts,
  { src, dst }: EventRecord,
  sources: ConnectSources,
): ConnectRecord {
  const { names, hosts } = sources;
  const { outcome, syns, span, lastSeen, tunnel, answerSeen, rejection, confidence } = facts;
  const place = (at: Vantage) => sources.place(at, at === call.vantages[0] ? src : dst);
  const seen = new Set(call.vantages.map(place));
  const isRefused = outcome === 'refused' || outcome === 'answer not delivered';
  const missed = isRefused
    ? []
    : names.capturedPods().filter(({ pod, namespace, text }) => {
        if (seen.has(text) || dst === undefined || namespace !== dst.namespace) return false;
        return dst.pod === undefined ? dst.service !== undefined : pod === dst.pod;
      });
  const notSeen = missed.map(({ text }) => text).slice(0, TRACE_NOT_SEEN);
  const last = place(lastSeen);
  const about = outcome === 'unanswered' ? aboutIt(call, sources) : undefined;
  const counters = risen([last, ...notSeen], sources);
  return {
    outcome,
    syns,
    span,
    lastSeen: last,
    notSeen,
    between:
      outcome === 'unanswered'
        ? {
            fromNode: names.ofInterface(lastSeen.interfaceId)?.node,
            toNode: missed.length > 0 ? sameNode(missed.map(({ node }) => node)) : dst?.node,
            translated: isTranslated(call, lastSeen, names),
            tunnel: tunnel && { kind: tunnel.kind, from: hosts.text(tunnel.from), to: hosts.text(tunnel.to) },
            proxyMode: about?.proxyMode,
            policies: about?.policies,
          }
        : undefined,
    answerSeen: answerSeen === undefined ? undefined : place(answerSeen),
    rejection,
    confidence,
    counters: counters.length === 0 ? undefined : counters,
  };
}

function aboutIt({ vantages }: Call, { hosts, about }: ConnectSources): ConnectionFacts | undefined {
  const [first] = vantages;
  if (first === undefined || first.serverPort < 0) return undefined;
  return about?.(hosts.text(first.clientHost), hosts.text(first.serverHost), first.serverPort);
}

/** The node of all; undefined where they are on several. */
function sameNode(nodes: readonly (string | undefined)[]): string | undefined {
  return nodes.every((node) => node === nodes[0]) ? nodes[0] : undefined;
}

/** Whether a Service's address had been replaced by a pod's; undefined where the client did not use that of a Service. */
function isTranslated({ vantages, exchange }: Call, lastSeen: Vantage, names: Names): boolean | undefined {
  const called = vantages[0]?.serverHost;
  if (called === undefined) return undefined;
  const known = names.ofHost(called, exchange.time, -1);
  if (known?.service === undefined || known.pod !== undefined) return undefined;
  return lastSeen.serverHost !== called;
}

/** Counters that rose between the two states of places. Live, the second one comes at the end. */
function risen(places: readonly string[], { names, states }: ConnectSources): PlaceCounter[] {
  const found: PlaceCounter[] = [];
  for (const pair of states.pairs()) {
    const place = names.ofInterface(pair.interfaceId)?.text;
    if (place === undefined || !places.includes(place)) continue;
    for (const counter of COUNTERS) {
      const change = growth(pair, counter) ?? 0;
      if (change > 0) found.push({ place, counter, change });
    }
  }
  return found;
}
