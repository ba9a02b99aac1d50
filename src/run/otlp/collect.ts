import type { AnalysisSession } from '../../analyze/engine/session.ts';
import type { Finding } from '../../analyze/findings/finding.ts';
import { recordedName } from '../../analyze/identity/identity.ts';
import { SIDE } from '../../analyze/record/event.ts';
import type { Summary } from '../../analyze/summary/summary.ts';
import type { TcpRow } from '../../analyze/summary/tcp-health.ts';
import type { Attributes } from './attributes.ts';
import { durationOf, observedSide } from './conventions.ts';
import { type DurationRows, type Host, NO_HOST } from './duration-rows.ts';
import type { Points } from './points.ts';
import { peerName, resourceOf } from './resource.ts';
import { OTHER } from './series.ts';

/** What metrics are made of. */
export interface Sources {
  readonly session: AnalysisSession;
  readonly durations: DurationRows;
  readonly summary: Summary;
  /** What was found wrong until now. */
  readonly findings: readonly Finding[];
  /** Retransmitted segments of all connections so far. */
  readonly retransmissions: number;
  /** Items of each kind that could not be delivered. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** The resource of what is about the capture as a whole. */
export const CAPTURE: Attributes = { 'service.name': 'ksnoop' };

/** Adds the value of every series. */
export function collect(points: Points, { session, durations, summary, findings, ...capture }: Sources): void {
  const { hosts } = session.capture.analysis;
  const resolved = (host: Host) => (host === NO_HOST ? host : summary.resolved(host));
  const labelOf = (host: Host) => (host === NO_HOST ? OTHER : typeof host === 'number' ? hosts.label(host) : host.text);
  const resource = (host: Host) => {
    const known = resolved(host);
    return resourceOf(typeof known === 'object' ? known : undefined, labelOf(known));
  };
  const peer = (host: Host) => {
    const known = resolved(host);
    return peerName(typeof known === 'object' ? known : undefined, labelOf(known));
  };
  for (const row of durations.rows()) {
    const isClient = observedSide(row.protocol) === SIDE.client;
    const of = resource(isClient ? row.client : row.server);
    const to = isClient ? { 'server.address': peer(row.server) } : {};
    const { metric, attributes } = durationOf(row);
    if (row.durations.count > 0) points.add(of, metric, { ...attributes, ...to }, row.durations);
    const kind = {
      'network.protocol.name': row.protocol,
      'error.type': attributes['error.type'],
      'ksnoop.probe': attributes['ksnoop.probe'],
      ...to,
    };
    points.add(of, 'ksnoop.exchanges', kind, row.count);
    const bytes = { 'network.protocol.name': row.protocol, ...to };
    points.add(of, 'ksnoop.exchange.io', { ...bytes, 'ksnoop.part': 'request' }, row.requestBytes);
    points.add(of, 'ksnoop.exchange.io', { ...bytes, 'ksnoop.part': 'response' }, row.responseBytes);
  }
  for (const { server, port, row } of summary.tcp.rows()) {
    const of = server === OTHER ? { 'service.name': OTHER } : resource(server);
    addTcp(points, of, server === OTHER ? {} : { 'server.port': port }, row);
  }
  for (const { code, severity, subject, cases } of findings) {
    const attributes = { 'ksnoop.finding.code': code, 'ksnoop.finding.severity': severity };
    points.add(resourceOf(recordedName(subject), subject), 'ksnoop.findings', attributes, cases);
  }
  points.add(CAPTURE, 'ksnoop.packets', {}, session.capture.analysis.packets);
  points.add(CAPTURE, 'ksnoop.retransmissions', {}, capture.retransmissions);
  for (const [signal, count] of Object.entries(capture.dropped)) {
    points.add(CAPTURE, 'ksnoop.export.dropped', { 'ksnoop.signal': signal }, count);
  }
}

function addTcp(points: Points, of: Attributes, at: Attributes, row: TcpRow): void {
  const { connections, refused, unanswered, resetByClient, resetByServer } = row;
  const outcomes = {
    completed: connections - refused - unanswered - resetByClient - resetByServer,
    refused,
    unanswered,
    'reset by client': resetByClient,
    'reset by server': resetByServer,
  };
  for (const [outcome, count] of Object.entries(outcomes)) {
    points.add(of, 'ksnoop.tcp.connections', { ...at, 'ksnoop.tcp.outcome': outcome }, count);
  }
  const { retransmissions, fastRetransmissions, timeoutRetransmissions, spuriousRetransmissions } = row;
  const causes = {
    fast: fastRetransmissions,
    timeout: timeoutRetransmissions,
    spurious: spuriousRetransmissions,
    other: retransmissions - fastRetransmissions - timeoutRetransmissions - spuriousRetransmissions,
  };
  for (const [cause, count] of Object.entries(causes)) {
    if (count > 0) points.add(of, 'ksnoop.tcp.retransmissions', { ...at, 'ksnoop.tcp.cause': cause }, count);
  }
  if (row.handshake.count > 0) points.add(of, 'ksnoop.tcp.handshake.duration', at, row.handshake);
  if (row.outOfOrder > 0) points.add(of, 'ksnoop.tcp.out_of_order', at, row.outOfOrder);
  if (row.zeroWindows > 0) points.add(of, 'ksnoop.tcp.zero_windows', at, row.zeroWindows);
  points.add(of, 'ksnoop.tcp.io', at, row.bytes);
}
