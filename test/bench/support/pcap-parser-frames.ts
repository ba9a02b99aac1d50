// `node pcap-parser-frames.ts FILE`: pcap-parser frames a capture, and its packets are counted.
import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';

const { parse } = createRequire(import.meta.url)('pcap-parser') as { parse(path: string): EventEmitter };

let packets = 0;
const parser = parse(process.argv[2] ?? '');
parser.on('packet', () => {
  packets += 1;
});
parser.on('end', () => console.log(`${packets} packets`));
parser.on('error', (error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
