import type { EventRecord, PeerRecord } from '../../analyze/record.ts';
import { clockText } from '../event-line.ts';
import { addressOf, peerName } from '../peer-text.ts';
import { sanitise } from '../sanitise.ts';
import { inLinesOfCells } from '../text-width.ts';
import { byteSize, counted, grouped, latencyText } from '../units.ts';
import type { Detail } from './detail-view.ts';
import { flowDetail } from './flow-detail.ts';
import { hexHeight, hexLine, hexOffset } from './hex.ts';
import { EXCHANGE_PACKETS } from './limits.ts';
import { type Line, LOOK, line, span } from './line.ts';
import type { KeptPacket, TopModel } from './model.ts';
import type { LineSource } from './pane.ts';

const NAME = 26;

/** Members of a record that are told by themselves, or say nothing to people. */
const TOLD = new Set<string>([
  ...['v', 'kind', 'time', 'src', 'dst', 'label', 'status', 'latency', 'ttfb', 'requestBytes', 'responseBytes'],
  ...['protocol', 'failed', 'incomplete', 'code', 'flow', 'interface', 'route'],
]);

/** One exchange: what was asked and answered, when, on which flow, in which packets. Its packets are taken when it is opened. */
export function exchangeDetail(model: TopModel, record: EventRecord): Detail {
  const packets = model.packets.ofFlow(record.flow, EXCHANGE_PACKETS);
  const hex = packets.flatMap((packet, index) => packetLines(packet, index));
  return (width) => [
    ...saidLines(model, record, width),
    line(span('')),
    line(span('Flow', LOOK.strong)),
    ...flowLines(model, record),
    line(span('')),
    line(span(`Packets of the flow: ${packetsText(packets)}`, LOOK.strong)),
    ...hex,
  ];
}

function saidLines(model: TopModel, record: EventRecord, width: number): Line[] {
  const one = (name: string, value: string | undefined, bad = false) =>
    value === undefined ? [] : pair(name, value, width, bad);
  const time = (value: number | undefined) => (value === undefined ? undefined : latencyText(Math.max(0, value)));
  return [
    ...inLinesOfCells(sanitise(record.label), width).map((text) => line(span(text, LOOK.strong))),
    ...one('protocol', model.titleOf(record.protocol)),
    ...one('from', peerText(record.src)),
    ...one('to', peerText(record.dst)),
    ...one('when', record.time),
    ...one('status', record.status, record.failed),
    ...one('incomplete', record.incomplete, true),
    ...one('code', record.code, record.failed),
    ...one('route', record.route),
    ...one('until the first octet', time(record.ttfb)),
    ...one('latency', time(record.latency)),
    ...one('request', record.requestBytes === undefined ? undefined : byteSize(record.requestBytes)),
    ...one('response', record.responseBytes === undefined ? undefined : byteSize(record.responseBytes)),
    ...one('interface', record.interface),
    ...Object.entries(record).flatMap(([name, value]) => (TOLD.has(name) ? [] : fieldLines(name, value, width))),
  ];
}

/** A protocol's own fields, one line each: `http.method`. */
function fieldLines(name: string, value: unknown, width: number): Line[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) {
    const plain = value.every((each) => typeof each !== 'object');
    if (plain) return pair(name, value.join(', '), width);
    return value.flatMap((each, index) => fieldLines(`${name}[${index}]`, each, width));
  }
  if (typeof value === 'object') {
    return Object.entries(value).flatMap(([key, inner]) => fieldLines(`${name}.${key}`, inner, width));
  }
  return pair(name, String(value), width);
}

function flowLines(model: TopModel, { flow }: EventRecord): readonly Line[] {
  const facts = model.flows.facts.find(({ id }) => id === flow);
  return facts === undefined ? [line(span('It is kept no more.', LOOK.aside))] : flowDetail(model, facts);
}

function packetsText(packets: readonly KeptPacket[]): string {
  if (packets.length === 0) return 'none is kept any more';
  return packets.length < EXCHANGE_PACKETS ? grouped(packets.length) : `the last ${grouped(packets.length)}`;
}

function packetLines(packet: KeptPacket, index: number): LineSource[] {
  const { bytes, length, direction, time } = packet;
  const cut = bytes.length < length ? `, ${counted(bytes.length, 'octet')} of them captured` : '';
  const head = `${index + 1}  ${clockText(time)}  ${direction ?? ''}  ${counted(length, 'octet')}${cut}`;
  const rows = Array.from({ length: hexHeight(bytes) }, (_, row) => () => hexLine(bytes, hexOffset(row)));
  return [line(span(head, LOOK.aside)), ...rows];
}

/** A name with its value, in as many lines as that takes. */
function pair(name: string, value: string, width: number, bad = false): Line[] {
  const look = bad ? LOOK.failure : LOOK.plain;
  return inLinesOfCells(sanitise(value), Math.max(1, width - NAME)).map((text, index) =>
    line(span(`${(index === 0 ? name : '').padEnd(NAME - 1)} `, LOOK.aside), span(text, look)),
  );
}

function peerText(peer: PeerRecord | undefined): string | undefined {
  if (peer === undefined) return undefined;
  const name = peerName(peer);
  return name === undefined ? addressOf(peer) : `${name} (${addressOf(peer)})`;
}
