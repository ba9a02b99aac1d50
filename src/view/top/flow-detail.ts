import type { FlowFacts, RttFacts, TcpDirectionFacts } from '../../analyze/flow/flow-facts.ts';
import { byteSize, counted, grouped, latencyText } from '../units.ts';
import { type Line, LOOK, line, span } from './line.ts';
import type { TopModel } from './model.ts';
import { peerFull } from './peer-span.ts';

const NAME = 26;
const VALUE = 18;

/** Everything known about one flow. */
export function flowDetail(model: TopModel, facts: FlowFacts): readonly Line[] {
  const record = model.flows.record(facts);
  const { tcp, client, server } = facts;
  const one = (name: string, value: string) => line(span(name.padEnd(NAME), LOOK.aside), span(value));
  const both = (name: string, mine: string, theirs: string, bad = false) =>
    line(
      span(name.padEnd(NAME), LOOK.aside),
      span(mine.padEnd(VALUE), bad && mine !== '0' ? LOOK.failure : LOOK.plain),
      span(theirs, bad && theirs !== '0' ? LOOK.failure : LOOK.plain),
    );
  const counts: readonly (readonly [name: string, pick: keyof TcpDirectionFacts, bad: boolean])[] = [
    ['retransmissions', 'retransmissions', true],
    ['  fast (duplicate ACKs)', 'fastRetransmissions', true],
    ['  after a timeout', 'timeoutRetransmissions', true],
    ['  spurious', 'spuriousRetransmissions', true],
    ['out of order', 'outOfOrder', false],
    ['duplicate ACKs', 'duplicateAcks', false],
    ['keep-alives', 'keepAlives', false],
    ['zero windows', 'zeroWindows', true],
    ['window full', 'windowFull', true],
    ['bytes not captured', 'lost', true],
  ];
  return [
    line(span(`${peerFull(record.src)} > ${peerFull(record.dst)}`, LOOK.strong)),
    one('protocol', `${model.titleOf(record.protocol)} on ${facts.transport.toUpperCase()}`),
    one('first packet', record.time),
    one('duration', latencyText(Math.max(0, record.duration))),
    one('interface', record.interface ?? '-'),
    ...(tcp === undefined
      ? []
      : [
          one('state', tcp.state + (tcp.midstream ? ', began before the capture' : '')),
          one('closed by', tcp.closedBy ?? '-'),
          one('reset by', tcp.resetBy ?? '-'),
          one('setup', tcp.setup === undefined ? '-' : latencyText(tcp.setup)),
          one('rtt to client', rttText(tcp.rtt.client)),
          one('rtt to server', rttText(tcp.rtt.server)),
        ]),
    line(span('')),
    line(span(' '.repeat(NAME)), span('client'.padEnd(VALUE), LOOK.aside), span('server', LOOK.aside)),
    both('packets', grouped(client.packets), grouped(server.packets)),
    both('bytes on the wire', byteSize(client.bytes), byteSize(server.bytes)),
    both('payload bytes', byteSize(client.payload), byteSize(server.payload)),
    ...(tcp === undefined
      ? []
      : [
          both('largest segment', optional(tcp.mss[0]), optional(tcp.mss[1])),
          both('window scale', optional(tcp.windowScale[0]), optional(tcp.windowScale[1])),
          ...counts.map(([name, pick, bad]) => both(name, grouped(tcp.client[pick]), grouped(tcp.server[pick]), bad)),
        ]),
  ];
}

function optional(value: number | undefined): string {
  return value === undefined ? '-' : grouped(value);
}

function rttText(rtt: RttFacts | undefined): string {
  if (rtt === undefined) return '-';
  const { minimum, mean, maximum, samples } = rtt;
  return `min ${latencyText(minimum)}, mean ${latencyText(mean)}, max ${latencyText(maximum)}, ${counted(samples, 'sample')}`;
}
