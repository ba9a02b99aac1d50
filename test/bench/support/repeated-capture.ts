import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { type Kept, kept } from './kept.ts';

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const BLOCK_BYTES = 4 * 1024 * 1024;
const ETHERNET_HEADER = 14;

/** The ports clients of Linux use (ip_local_port_range), and how far each repetition moves them. */
const PORTS_FROM = 32_768;
const PORTS = 28_232;
const PORTS_APART = 6_007;
const SERVER_PORT = 80;

/** Seconds between the beginnings of two repetitions. */
const SECONDS_APART = 60;

/**
 * A capture of TCP over IPv4 over Ethernet several times after one another, each later and with other clients' ports:
 * more of the same traffic. Checksums are left as they are; of a veth pair's packets they were never filled in.
 */
export function repeatedCapture(source: Kept, name: string, times: number): Promise<Kept> {
  return kept(name, [source.path, times, SECONDS_APART, PORTS_APART], async (path) => {
    const input = openSync(source.path, 'r');
    const output = openSync(path, 'w');
    try {
      const header = Buffer.alloc(FILE_HEADER);
      readSync(input, header, 0, FILE_HEADER, 0);
      if (header.readUInt32LE(0) !== 0xa1b2c3d4 || header.readUInt32LE(20) !== 1) {
        throw new Error(`${source.path} is not a little-endian pcap of Ethernet frames`);
      }
      writeSync(output, header);
      for (let time = 0; time < times; time += 1) copy(input, output, time);
    } finally {
      closeSync(input);
      closeSync(output);
    }
    return `${times} times ${source.about}`;
  });
}

function copy(input: number, output: number, time: number): void {
  const block = Buffer.alloc(BLOCK_BYTES);
  let place = FILE_HEADER;
  for (;;) {
    const count = readSync(input, block, 0, BLOCK_BYTES, place);
    let at = 0;
    while (at + RECORD_HEADER <= count) {
      const end = at + RECORD_HEADER + block.readUInt32LE(at + 8);
      if (end > count) break;
      block.writeUInt32LE(block.readUInt32LE(at) + time * SECONDS_APART, at);
      move(block, at + RECORD_HEADER + ETHERNET_HEADER, time);
      at = end;
    }
    if (at === 0) return;
    writeSync(output, block, 0, at);
    place += at;
  }
}

/** Move the client's port of an IPv4 packet of TCP. */
function move(block: Buffer, network: number, time: number): void {
  const transport = network + (block.readUInt8(network) & 0xf) * 4;
  for (const at of [transport, transport + 2]) {
    const port = block.readUInt16BE(at);
    if (port === SERVER_PORT) continue;
    block.writeUInt16BE(PORTS_FROM + ((port - PORTS_FROM + time * PORTS_APART + PORTS) % PORTS), at);
  }
}
