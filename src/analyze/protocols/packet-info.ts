import { u8, u16 } from '../bytes.ts';
import { IP_PROTOCOL } from '../layers/ip-protocol.ts';
import type { PacketView } from '../packet/packet.ts';
import { maskTarget } from '../record/secrets.ts';
import { latin1 } from '../record/text.ts';
import { messageDetail } from './dns/detail.ts';
import { dns } from './dns/index.ts';
import { FLAG, HEADER, opcodeOf } from './dns/message.ts';
import { opcodeName, rcodeName } from './dns/numbers.ts';
import { startLineLikeness } from './http1/start-line.ts';
import { oneLine } from './one-line.ts';
import { ALERT_LEVEL, alertName } from './tls/alerts.ts';
import { readClientHello } from './tls/client-hello.ts';
import { HANDSHAKE, HANDSHAKE_HEADER } from './tls/direction.ts';
import { isRecordHeader, RECORD, RECORD_HEADER } from './tls/records.ts';
import { readServerHello } from './tls/server-hello.ts';
import { versionName } from './tls/versions.ts';

/** Bytes of a start line that are shown, and records of a DNS answer. */
const LINE_SHOWN = 300;
const ANSWERS_SHOWN = 4;

/**
 * What a packet alone shows above TCP or UDP, as Wireshark's Info column has it: `HTTP GET /cart HTTP/1.1`,
 * `DNS query 0x1a2b A web.shop.svc.cluster.local`, `TLS ClientHello api.shop`. Only what begins in this packet is named,
 * for what belongs to an earlier one cannot be known from it alone. Secrets are masked unless `showSecrets`.
 */
export function packetInfo(packet: PacketView, showSecrets: boolean): string | undefined {
  const { bytes, cursor, end } = packet;
  if (end <= cursor || packet.transportOffset < 0) return undefined;
  if (packet.ipProtocol === IP_PROTOCOL.udp) {
    const hinted = dns.ports.includes(packet.sourcePort) || dns.ports.includes(packet.destinationPort);
    const likeness = end - cursor >= HEADER ? dns.probe(bytes, cursor, end, hinted) : 'no';
    return likeness === 'client' || likeness === 'server' ? dnsInfo(bytes, cursor, end) : undefined;
  }
  if (packet.ipProtocol !== IP_PROTOCOL.tcp) return undefined;
  const isDns = packet.sourcePort === 53 || packet.destinationPort === 53;
  // DNS over TCP: a length before each message (RFC 1035, section 4.2.2).
  if (isDns && end - cursor >= HEADER + 2 && u16(bytes, cursor) === end - cursor - 2) {
    return dnsInfo(bytes, cursor + 2, end);
  }
  const likeness = startLineLikeness(bytes, cursor, end);
  if (likeness === 'client' || likeness === 'server') return startLine(bytes, cursor, end, showSecrets);
  return tlsInfo(bytes, cursor, end);
}

function startLine(bytes: Uint8Array, start: number, end: number, showSecrets: boolean): string {
  const limit = Math.min(end, start + LINE_SHOWN);
  let at = start;
  while (at < limit && bytes[at] !== 0x0a && bytes[at] !== 0x0d) at += 1;
  const text = latin1(bytes, start, at);
  return `HTTP ${oneLine(showSecrets ? text : text.split(' ').map(maskTarget).join(' '))}${at === limit ? '…' : ''}`;
}

function dnsInfo(bytes: Uint8Array, start: number, end: number): string {
  const { id, flags, questions, answers } = messageDetail(bytes, start, end, false);
  const [question] = questions;
  const opcode = opcodeOf(flags);
  const words = ['DNS'];
  if (opcode !== 0) words.push(opcodeName(opcode));
  words.push((flags & FLAG.response) === 0 ? 'query' : 'response', `0x${id.toString(16).padStart(4, '0')}`);
  if (question !== undefined) words.push(`${question.type ?? ''} ${question.name ?? ''}`.trim());
  if ((flags & FLAG.response) === 0) return oneLine(words.join(' '));
  words.push(rcodeName(flags & 15));
  for (const { type, data } of answers.slice(0, ANSWERS_SHOWN)) words.push(`${type} ${data}`);
  if (answers.length > ANSWERS_SHOWN) words.push('…');
  return oneLine(words.join(' '));
}

const RECORD_NAMES: Readonly<Record<number, string>> = {
  [RECORD.changeCipherSpec]: 'ChangeCipherSpec',
  [RECORD.applicationData]: 'application data',
  [RECORD.heartbeat]: 'heartbeat',
};

function tlsInfo(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start < RECORD_HEADER || !isRecordHeader(bytes, start)) return undefined;
  const type = u8(bytes, start);
  const known = RECORD_NAMES[type];
  if (known !== undefined) return `TLS ${known}`;
  const content = start + RECORD_HEADER;
  const recordEnd = content + u16(bytes, start + 3);
  if (type === RECORD.alert) {
    if (recordEnd - content !== 2 || recordEnd > end) return 'TLS alert (encrypted)';
    const level = u8(bytes, content) === ALERT_LEVEL.fatal ? 'fatal' : 'warning';
    return `TLS alert ${level} ${alertName(u8(bytes, content + 1))}`;
  }
  if (content + HANDSHAKE_HEADER > end) return 'TLS handshake';
  const body = content + HANDSHAKE_HEADER;
  const bodyEnd = body + ((u8(bytes, content + 1) << 16) | u16(bytes, content + 2));
  const message = u8(bytes, content);
  if (bodyEnd > recordEnd) return 'TLS handshake';
  if (message === HANDSHAKE.clientHello) {
    const hello = bodyEnd <= end ? readClientHello(bytes, body, bodyEnd) : undefined;
    return oneLine(`TLS ClientHello ${hello?.sni ?? ''}`).trimEnd();
  }
  if (message === HANDSHAKE.serverHello) {
    const hello = bodyEnd <= end ? readServerHello(bytes, body, bodyEnd) : undefined;
    return hello === undefined ? 'TLS ServerHello' : `TLS ServerHello ${versionName(hello.version)}`;
  }
  return 'TLS handshake';
}
