import { readFileSync } from 'node:fs';
import type { Side } from '../../../../src/analyze/record/event.ts';

/** What one connection of a capture said, in the order of its segments. */
export interface Conversation {
  readonly port: number;
  readonly steps: (readonly [side: Side, bytes: Uint8Array])[];
}

/**
 * The connections of a capture of a loopback (Ethernet, IPv4, TCP, nothing lost): a second, plain reading of it.
 * @param first the lowest server port; all clients' ports are above `last`
 */
export function conversations(path: string, first: number, last: number): Conversation[] {
  const bytes = readFileSync(path);
  const found = new Map<string, Conversation>();
  for (let at = 24; at + 16 <= bytes.length; ) {
    const frame = bytes.subarray(at + 16, at + 16 + bytes.readUInt32LE(at + 8));
    at += 16 + frame.length;
    const tcp = 14 + ((frame[14] ?? 0) & 15) * 4;
    const source = frame.readUInt16BE(tcp);
    const destination = frame.readUInt16BE(tcp + 2);
    const payload = frame.subarray(tcp + ((frame[tcp + 12] ?? 0) >> 4) * 4, 14 + frame.readUInt16BE(16));
    const fromServer = source >= first && source <= last;
    const [client, port] = fromServer ? [destination, source] : [source, destination];
    let conversation = found.get(`${client}>${port}`);
    if (conversation === undefined) {
      conversation = { port, steps: [] };
      found.set(`${client}>${port}`, conversation);
    }
    if (payload.length > 0) conversation.steps.push([fromServer ? 1 : 0, payload]);
  }
  return [...found.values()];
}
