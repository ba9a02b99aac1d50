import type { Identity } from '../identity/identity.ts';
import { workloadText } from '../identity/workload.ts';
import type { Recorder } from '../record/record.ts';
import { KUBELET } from './caller-rows.ts';
import { OTHER } from './exchange-rows.ts';
import { KEY_SEPARATOR } from './keyed-rows.ts';
import type { Client, Server, Summary } from './summary.ts';
import { type DnsHead, type PodHead, SummaryTotals, type TlsHead, type TroubledFlow } from './totals.ts';

/**
 * What a summary has counted, by the names that are known now.
 * @param span of the analysis' packets: ns since the first one; undefined when there was none
 */
export function totalsOf(
  summary: Summary,
  recorder: Recorder,
  span: { readonly first: number; readonly last: number } | undefined,
): SummaryTotals {
  const totals = new SummaryTotals(Number.POSITIVE_INFINITY);
  const { services, routes, pods, callers, dns, tls, tcp } = totals.tables;
  if (span !== undefined) {
    totals.addSpan({ first: recorder.absolute(span.first), last: recorder.absolute(span.last) });
  }
  for (const [transport, count] of Object.entries(summary.flows)) {
    totals.addFlows(transport as keyof Summary['flows'], count);
  }
  for (const rows of [summary.exchanges, summary.connections]) {
    for (const { server: seen, protocol, route, row } of rows.rows()) {
      const server = resolved(summary, seen);
      const service = groupText(summary, server);
      services.add({ service, protocol }, row);
      routes.add({ service, protocol, route }, row);
      if (typeof server === 'object' && server.pod !== undefined) pods.add(podHead(server, protocol), row);
    }
  }
  for (const { server, protocol, row } of summary.otherLegs.rows()) {
    if (typeof server === 'object' && server.pod !== undefined) pods.add(podHead(server, protocol), row);
  }
  for (const rows of [summary.callers, summary.connectionCallers]) {
    for (const { client, server, protocol, row } of rows.rows()) {
      const service = groupText(summary, resolved(summary, server));
      callers.add({ client: clientText(summary, client), service, protocol }, row);
    }
  }
  for (const [label, row] of summary.dns.entries()) dns.add(questionOf(label), row);
  for (const [key, row] of summary.tls.entries()) tls.add(handshakeOf(key), row);
  for (const { server, port, row } of summary.tcp.rows()) {
    tcp.add({ server: groupText(summary, resolved(summary, server)), port }, row);
  }
  for (const [protocol, { count, bytes }] of summary.messages) totals.addMessages(protocol, count, bytes);
  for (const event of summary.events.values()) totals.addEvent(event);
  totals.addWorst(
    summary.tcp.worst().map(({ trouble, flow }): TroubledFlow => ({ trouble, record: recorder.flow(flow) })),
  );
  totals.addPods(
    summary.capturedPods().map((pod) => [pod.text, serviceOf(pod)] as const),
    summary.activePods,
  );
  return totals;
}

/** A server by what is known of it now. */
export function resolved(summary: Summary, server: Server | typeof OTHER): Server | typeof OTHER {
  return server === OTHER ? server : summary.resolved(server);
}

/** What servers are grouped by: the Service, else the pod, name or address. */
export function groupText(summary: Summary, server: Server | typeof OTHER): string {
  if (server === OTHER) return OTHER;
  if (typeof server === 'object') return server.group;
  return server < 0 ? 'no address' : summary.hosts.label(server);
}

/** `A web.shop` is type and name; what has no type is a name. */
export function questionOf(label: string): DnsHead {
  const space = label.indexOf(' ');
  return space < 0 ? { type: undefined, name: label } : { type: label.slice(0, space), name: label.slice(space + 1) };
}

/** The server name and the version of a TLS handshake. */
export function handshakeOf(key: string): TlsHead {
  const [sni = '', version = ''] = key.split(KEY_SEPARATOR);
  return { sni: sni || undefined, version: version || undefined };
}

function clientText(summary: Summary, client: Client | typeof OTHER): string {
  if (client === OTHER || client === KUBELET) return client;
  const known = summary.resolved(client);
  return typeof known === 'object' ? workloadText(known) : groupText(summary, known);
}

function podHead(pod: Identity, protocol: string): PodHead {
  return { pod: pod.text, service: serviceOf(pod), protocol };
}

function serviceOf(pod: Identity): string | undefined {
  return pod.service === undefined ? undefined : pod.group;
}
