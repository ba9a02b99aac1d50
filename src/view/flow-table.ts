import type { TcpDirectionFacts, TcpFacts } from '../analyze/flow/flow-facts.ts';
import type { FlowRecord, PeerRecord } from '../analyze/record/record.ts';
import type { Colours } from './colour.ts';
import { addressOf, peerName } from './peer-text.ts';
import { sanitise } from './sanitise.ts';
import { clockText } from './time-text.ts';
import { byteSize, counted, latencyText } from './units.ts';

export interface FlowLineStyle {
  readonly colours: Colours;
  /** Times are UTC; local unless set. */
  readonly utc?: boolean | undefined;
  /** A protocol's name for people: `http` is `HTTP`. */
  titleOf(protocol: string): string | undefined;
}

/**
 * A flow as one line, client first:
 * `14:03:07.123456 shop/client-1 (10.244.1.9:41234) > web.shop (10.244.1.5:80) HTTP 5.0 ms sent 3 packets, 300 B received
 * 3 packets, 300 B closed by client handshake 200 µs rtt 150 µs`, and what went wrong, where something did.
 */
export function flowLine(
  record: Omit<FlowRecord, 'flow'> & { readonly flow: number | undefined },
  style: FlowLineStyle,
): string {
  const { src, dst, client, server, tcp, redirectedTo } = record;
  const title = sanitise(style.titleOf(record.protocol) ?? record.protocol.toUpperCase());
  const parts = [
    clockText(record.time, style.utc),
    `${peer(src, style)} > ${peer(dst, style)}`,
    ...(redirectedTo === undefined ? [] : [`redirected to ${redirectedTo}`]),
    title,
    latencyText(Math.max(0, record.duration)),
    `sent ${counted(client.packets, 'packet')}, ${byteSize(client.bytes)}`,
    `received ${counted(server.packets, 'packet')}, ${byteSize(server.bytes)}`,
  ];
  if (tcp !== undefined) parts.push(...tcpWords(tcp, style.colours));
  // The number is known within one capture.
  if (record.flow !== undefined) parts.push(style.colours.aside(`flow ${record.flow}`));
  return parts.join(' ');
}

function peer(record: PeerRecord | undefined, { colours }: FlowLineStyle): string {
  if (record === undefined) return '?';
  const known = peerName(record);
  if (known === undefined) return addressOf(record);
  const name = sanitise(known);
  return `${colours.label(name, name)} (${addressOf(record)})`;
}

function tcpWords(tcp: TcpFacts, colours: Colours): string[] {
  const words = [stateText(tcp, colours)];
  if (tcp.midstream) words.push('began before the capture');
  if (tcp.setup !== undefined) words.push(`setup ${latencyText(tcp.setup)}`);
  if (tcp.rtt.client !== undefined) words.push(`rtt to client ${latencyText(tcp.rtt.client.mean)}`);
  if (tcp.rtt.server !== undefined) words.push(`rtt to server ${latencyText(tcp.rtt.server.mean)}`);
  const { client, server } = tcp;
  for (const [side, facts] of [['client', client] as const, ['server', server] as const]) {
    const troubles = troublesOf(facts);
    if (troubles.length > 0) words.push(colours.failure(`${side}: ${troubles.join(', ')}`));
    if (facts.lost > 0) words.push(colours.aside(`[${byteSize(facts.lost)} of the ${side} not captured]`));
  }
  return words;
}

function stateText({ state, resetBy, closedBy }: TcpFacts, colours: Colours): string {
  if (state === 'refused' || state === 'unanswered') return colours.failure(state);
  if (resetBy !== undefined) return colours.failure(`reset by ${resetBy}`);
  return closedBy === undefined ? state : `${state} by ${closedBy}`;
}

/** Retransmissions of the sender, and times when it had to wait for the window. */
function troublesOf(facts: TcpDirectionFacts): string[] {
  const kinds = [
    [facts.fastRetransmissions, 'fast'],
    [facts.timeoutRetransmissions, 'after timeout'],
    [facts.spuriousRetransmissions, 'spurious'],
  ] as const;
  const kindText = kinds.flatMap(([count, kind]) => (count > 0 ? [`${count} ${kind}`] : [])).join(', ');
  const all = [
    [facts.retransmissions, `retransmitted ${facts.retransmissions}${kindText === '' ? '' : ` (${kindText})`}`],
    [facts.outOfOrder, `out of order ${facts.outOfOrder}`],
    [facts.zeroWindows, `zero windows ${facts.zeroWindows}`],
    [facts.windowFull, `window full ${facts.windowFull}`],
  ] as const;
  return all.flatMap(([count, text]) => (count > 0 ? [text] : []));
}
