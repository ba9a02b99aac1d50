import { closeSync, openSync, writeSync } from 'node:fs';
import { pcapFileHeader, writePcapRecordHeader } from '../../../src/wire/pcap-write.ts';
import { type Kept, kept } from './kept.ts';

/** Packets of each of these captures. */
export const FLOW_PACKETS = 6_000_000;
const MICROSECOND = 1_000;
const START = 1_767_225_600n * 1_000_000_000n;
const BLOCK_BYTES = 1024 * 1024;
const RECORD_HEADER = 16;
const ETHERNET = 14;
const HEADERS = ETHERNET + 20 + 20;
const FIN = 0x01;
const SYN = 0x02;
const ACK = 0x10;
const PUSH = 0x08;

const REQUEST = Buffer.from('GET /items HTTP/1.1\r\nHost: shop\r\n\r\n');
const RESPONSE = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
const NONE = Buffer.alloc(0);

/**
 * Conversations of HTTP: SYN, SYN/ACK, requests and responses, FINs of both. Every capture has as many packets, so that
 * what differs is the number of flows.
 * @param flows distinct ones in all
 * @param open of them at once: they take turns packet by packet, and when they have ended the next ones begin
 */
export function flowCapture(name: string, flows: number, open: number): Promise<Kept> {
  const steps = FLOW_PACKETS / flows;
  return kept(name, [flows, open, FLOW_PACKETS, `${REQUEST}${RESPONSE}`, writePacket.toString()], async (path) => {
    const output = openSync(path, 'w');
    const block = Buffer.alloc(BLOCK_BYTES);
    const view = new DataView(block.buffer, block.byteOffset);
    try {
      writeSync(output, pcapFileHeader(1, 65_535));
      let used = 0;
      for (let number = 0; number < FLOW_PACKETS; number += 1) {
        if (used + RECORD_HEADER + HEADERS + RESPONSE.length > BLOCK_BYTES) {
          writeSync(output, block, 0, used);
          used = 0;
        }
        const batch = Math.floor(number / (open * steps));
        const turn = number - batch * open * steps;
        const flow = batch * open + (turn % open);
        const length = writePacket(block, used + RECORD_HEADER, flow, Math.floor(turn / open), steps);
        const time = START + BigInt(number * MICROSECOND);
        writePcapRecordHeader(
          new DataView(view.buffer, view.byteOffset + used, RECORD_HEADER),
          Number(time >> 32n),
          Number(time & 0xffff_ffffn),
          length,
          length,
        );
        used += RECORD_HEADER + length;
      }
      writeSync(output, block, 0, used);
    } finally {
      closeSync(output);
    }
    return `${FLOW_PACKETS} packets of ${flows} conversations, ${open} at once`;
  });
}

/** Write a flow's packet number `step` of `steps`, an even number from 6 on. @returns its bytes */
function writePacket(block: Buffer, at: number, flow: number, step: number, steps: number): number {
  const byClient = step % 2 === 0;
  // The last four: request, response with FIN, the client's FIN, its acknowledgment.
  const ending = Math.max(0, step - (steps - 4));
  const sent = Math.min(steps - 2, step) - 2;
  const payload = sent < 0 || ending > 1 ? NONE : byClient ? REQUEST : RESPONSE;
  const begun = step < 2 ? 0 : 1;
  // Initial sequence numbers of their own: two connections with the same ones are one that is seen on both sides of a NAT.
  const clientInitial = Math.imul(flow + 1, 0x9e3779b1);
  const serverInitial = Math.imul(flow + 1, 0x85ebca6b);
  const clientSequence = clientInitial + begun + Math.max(0, (sent + 1) >> 1) * REQUEST.length + (ending > 2 ? 1 : 0);
  const serverSequence = serverInitial + begun + Math.max(0, sent >> 1) * RESPONSE.length + (ending > 1 ? 1 : 0);
  const data = payload.length > 0 ? PUSH | ACK : ACK;
  const flags = step === 0 ? SYN : step === 1 ? SYN | ACK : ending === 1 || ending === 2 ? data | FIN : data;
  // Clients: 10.a.b.c, one for each 16 flows or so; ports as Linux gives them.
  const client = 0x0a000000 + (flow >>> 4);
  const clientPort = 32_768 + (flow & 15) * 1_009;
  const server = 0x0aff0001;
  const hardware = (offset: number, last: number) => {
    block.writeUInt32BE(0x02000000, at + offset);
    block.writeUInt16BE(last, at + offset + 4);
  };
  hardware(0, byClient ? 2 : 1);
  hardware(6, byClient ? 1 : 2);
  block.writeUInt16BE(0x0800, at + 12);
  const ip = at + ETHERNET;
  block.fill(0, ip, ip + 40);
  block.writeUInt8(0x45, ip);
  block.writeUInt16BE(40 + payload.length, ip + 2);
  block.writeUInt16BE(0x4000, ip + 6);
  block.writeUInt8(64, ip + 8);
  block.writeUInt8(6, ip + 9);
  block.writeUInt32BE(byClient ? client : server, ip + 12);
  block.writeUInt32BE(byClient ? server : client, ip + 16);
  block.writeUInt16BE(internetChecksum(block, ip, 20), ip + 10);
  const tcp = ip + 20;
  block.writeUInt16BE(byClient ? clientPort : 80, tcp);
  block.writeUInt16BE(byClient ? 80 : clientPort, tcp + 2);
  block.writeUInt32BE((byClient ? clientSequence : serverSequence) >>> 0, tcp + 4);
  const acknowledged = byClient ? serverSequence : step === 1 ? clientInitial + 1 : clientSequence;
  if (step > 0) block.writeUInt32BE(acknowledged >>> 0, tcp + 8);
  block.writeUInt8(0x50, tcp + 12);
  block.writeUInt8(flags, tcp + 13);
  block.writeUInt16BE(64_240, tcp + 14);
  payload.copy(block, tcp + 20);
  return HEADERS + payload.length;
}

/** RFC 1071. */
function internetChecksum(block: Buffer, at: number, length: number): number {
  let sum = 0;
  for (let offset = 0; offset < length; offset += 2) sum += block.readUInt16BE(at + offset);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
