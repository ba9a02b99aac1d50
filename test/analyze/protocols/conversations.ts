import { readFileSync } from 'node:fs';
import { SIDE } from '../../../src/analyze/record/event.ts';
import type { Step } from './play.ts';

/**
 * The TCP connections of a pcap file made on one loopback (Ethernet, IPv4, nothing lost, in order) as conversations: the
 * payloads in the order in which they came, of connections in the order in which they began.
 */
export function conversations(path: string): Step[][] {
  const file = readFileSync(path);
  const flows = new Map<string, { client: string; next: Map<string, number>; steps: Step[] }>();
  for (let at = 24; at + 16 <= file.length; ) {
    const length = file.readUInt32LE(at + 8);
    const packet = file.subarray(at + 16, at + 16 + length);
    at += 16 + length;
    const tcp = 14 + ((packet[14] ?? 0) & 15) * 4;
    const sender = `${packet.subarray(26, 30).join('.')}:${packet.readUInt16BE(tcp)}`;
    const receiver = `${packet.subarray(30, 34).join('.')}:${packet.readUInt16BE(tcp + 2)}`;
    const key = [sender, receiver].sort().join(' ');
    const syn = ((packet[tcp + 13] ?? 0) & 2) !== 0;
    if (syn && !flows.has(key)) flows.set(key, { client: sender, next: new Map(), steps: [] });
    const flow = flows.get(key);
    if (flow === undefined) continue;
    const sequence = packet.readUInt32BE(tcp + 4);
    if (syn) {
      flow.next.set(sender, (sequence + 1) >>> 0);
      continue;
    }
    const payload = packet.subarray(tcp + ((packet[tcp + 12] ?? 0) >> 4) * 4, 14 + packet.readUInt16BE(16));
    // A repetition, or a keep-alive.
    if (payload.length === 0 || sequence !== flow.next.get(sender)) continue;
    flow.next.set(sender, (sequence + payload.length) >>> 0);
    flow.steps.push([sender === flow.client ? SIDE.client : SIDE.server, Uint8Array.from(payload)]);
  }
  return [...flows.values()].map(({ steps }) => steps).filter((steps) => steps.length > 0);
}
