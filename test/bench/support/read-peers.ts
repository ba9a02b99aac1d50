import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensurePackages } from '../../support/packages.ts';
import { gopacketRequests } from './gopacket.ts';
import { type Run, timedRun } from './timed-run.ts';

export const BUILT = join(import.meta.dirname, '../../../bin/ksnoop.mjs');
const SUMMARY_BYTES = 256 * 1024 * 1024;
const FRAMES = join(import.meta.dirname, 'pcap-parser-frames.ts');

/** `ksnoop read -o summary FILE`, the built one, by the Node that runs this. */
export function ksnoopSummary(file: string): Promise<Run> {
  return timedRun(process.execPath, BUILT, 'read', '-o', 'summary', file);
}

/** What the summary says of the whole capture, so that the table tells what was done in that time. */
export async function ksnoopFound(file: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [BUILT, 'read', '-o', 'summary', file], {
    maxBuffer: SUMMARY_BYTES,
  });
  return `ksnoop found: ${stdout.split('\n')[0]}`;
}

/** A program that reads captures too. */
export interface ReadPeer {
  readonly name: string;
  /** Its command, FILE for the capture's path. */
  readonly command: string;
  /** Times as fast as it ksnoop is to be; 0 where it is printed for information. */
  readonly goal: number;
  readonly rounds: number;
  run(file: string): Promise<Run>;
}

/** What prints a line for each packet; as root it would give up the right to read the file without -Z. */
export const tcpdump: ReadPeer = {
  name: 'tcpdump',
  command: 'tcpdump -nr FILE >/dev/null',
  goal: 8,
  rounds: 5,
  run: (file) => installed('tcpdump', () => timedRun('tcpdump', '-Z', 'root', '-nr', file)),
};

const tshark: ReadPeer = {
  name: 'tshark',
  command: 'tshark -q -z http,tree -r FILE',
  goal: 25,
  // It takes half a minute.
  rounds: 1,
  run: (file) => installed('tshark', () => timedRun('tshark', '-q', '-z', 'http,tree', '-r', file)),
};

const pcapParser: ReadPeer = {
  name: 'pcap-parser',
  command: 'pcap-parser (npm) framing FILE, packets counted, nothing decoded',
  goal: 4,
  rounds: 5,
  run: (file) => timedRun(process.execPath, FRAMES, file),
};

const gopacket: ReadPeer = {
  name: 'gopacket',
  command: 'test/bench/gopacket: gopacket (Go) with its reassembly, HTTP requests counted',
  goal: 3,
  rounds: 5,
  run: async (file) => timedRun(await gopacketRequests(), file),
};

/** Both are C, and neither looks into HTTP as ksnoop does. */
const ndpi: ReadPeer = {
  name: 'ndpiReader',
  command: 'ndpiReader -q -i FILE: nDPI, flows and their protocols counted',
  goal: 1,
  rounds: 5,
  run: (file) => installed('libndpi-bin', () => timedRun('ndpiReader', '-q', '-i', file)),
};

const tcptrace: ReadPeer = {
  name: 'tcptrace',
  command: 'tcptrace -n FILE: connections counted (for information: nothing is asked of this ratio)',
  goal: 0,
  rounds: 5,
  run: (file) => installed('tcptrace', () => timedRun('tcptrace', '-n', file)),
};

const cat: ReadPeer = {
  name: 'cat',
  command: 'cat FILE >/dev/null (for information: nothing is asked of this ratio)',
  goal: 0,
  rounds: 5,
  run: (file) => timedRun('cat', file),
};

export const READ_PEERS = [tcpdump, tshark, pcapParser, gopacket, ndpi, tcptrace, cat] as const;

function installed(name: string, run: () => Promise<Run>): Promise<Run> {
  const problem = ensurePackages([name]);
  if (problem !== undefined) throw new Error(problem);
  return run();
}
