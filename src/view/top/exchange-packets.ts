import type { EventRecord } from '../../analyze/record/record.ts';
import { clockText } from '../time-text.ts';
import { counted, grouped } from '../units.ts';
import { hexDump } from './hex.ts';
import { FLOW_PACKETS_SEARCHED, PACKET_BYTES_SHOWN, PACKETS_SHOWN } from './limits.ts';
import { LOOK, line, span } from './line.ts';
import type { KeptPacket } from './model.ts';
import type { LineSource } from './pane.ts';
import { peerSpan } from './peer-span.ts';

/**
 * Packets of an exchange: those of its flow from its first byte to its last, or from its first on where the last is not known.
 * @param packets of its flow, oldest first
 */
export function packetsOf(record: EventRecord, packets: readonly KeptPacket[]): readonly KeptPacket[] {
  const { time, latency } = record;
  const end = latency === undefined ? undefined : after(time, latency);
  // Texts of one length and form: they are in order when times are.
  return packets.filter((packet) => packet.time >= time && (end === undefined || packet.time <= end));
}

/** A time of RFC 3339 with nine digits so many nanoseconds later. */
function after(time: string, nanoseconds: number): string {
  const sum = BigInt(time.slice(20, 29)) + BigInt(Math.max(0, Math.round(nanoseconds)));
  const seconds = new Date(Date.parse(`${time.slice(0, 19)}Z`) + Number(sum / 1_000_000_000n) * 1000);
  return `${seconds.toISOString().slice(0, 19)}.${String(sum % 1_000_000_000n).padStart(9, '0')}Z`;
}

/** The packets with their bytes in hex; rows are made when they are seen. @param ofFlow how many of its flow there are */
export function packetLines(packets: readonly KeptPacket[], ofFlow: number, width: number): LineSource[] {
  const searched =
    ofFlow < FLOW_PACKETS_SEARCHED ? `${grouped(ofFlow)} of the flow` : `the flow's last ${grouped(ofFlow)}`;
  const title = `Packets: ${grouped(packets.length)} of ${searched} that are kept`;
  const lines: LineSource[] = [line(span(title, LOOK.name))];
  if (packets.length > 0) lines.push(line(span('As captured: secrets are not masked.', LOOK.aside)));
  for (const packet of packets.slice(0, PACKETS_SHOWN)) {
    const { bytes } = packet;
    lines.push(
      line(span('')),
      () => line(span(headText(packet), LOOK.strong)),
      () => line(span(saidText(packet))),
    );
    lines.push(...hexDump(bytes, width, PACKET_BYTES_SHOWN));
    const left = bytes.length - PACKET_BYTES_SHOWN;
    if (left > 0) lines.push(line(span(`… and ${counted(left, 'byte')}: w writes them to a file`, LOOK.aside)));
  }
  const more = packets.length - PACKETS_SHOWN;
  if (more > 0) lines.push(line(span(`… and ${counted(more, 'packet')}: w writes them to a file`, LOOK.aside)));
  return lines;
}

/** When, where and how much. */
function headText({ time, interface: name, direction, length, bytes }: KeptPacket): string {
  const cut = bytes.length < length ? `, ${counted(bytes.length, 'byte')} captured` : '';
  const words = [clockText(time), name, direction, `${counted(length, 'byte')}${cut}`];
  return words.filter((word) => word !== undefined).join('  ');
}

/** Its headers: `10.244.1.5:41234 > shop/web-1:80 TCP [P.] seq 1 ack 1 win 64 len 35`. */
function saidText(packet: KeptPacket): string {
  const { src, dst, protocol, label, stopped } = packet.record();
  const peers =
    src === undefined || dst === undefined ? [] : [`${peerSpan(src, true).text} > ${peerSpan(dst, true).text}`];
  return ['', ...peers, protocol.toUpperCase(), label, ...(stopped === undefined ? [] : [`[${stopped}]`])].join('  ');
}
