import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { makePair, type NamespacePair, run } from '../../agent/namespaces.ts';
import { ensurePackages } from '../../support/packages.ts';

/** tcpdump's ring, KiB: all that comes while it waits for the disk fits, so that nothing is dropped. */
const RING_KIB = 1024 * 1024;

/** Longer than a server needs to listen and its last packets to be captured. */
const SETTLE_MS = 1_500;
const TIMEOUT_MS = 300_000;

/** A real server and a real client, and what of their traffic is kept. */
export interface LiveTraffic {
  /** Debian packages by the program that tells they are there. */
  readonly packages: Readonly<Record<string, string>>;
  /** Run in one network namespace each, at LEFT_ADDRESS and RIGHT_ADDRESS; both are ended when there is enough. */
  readonly server: readonly string[];
  readonly client: readonly string[];
  /** What is captured, in the client's words. */
  readonly filter: string;
  /** Enough: bytes of the capture file. */
  readonly bytes: number;
}

/**
 * Capture what a client and a server say to each other over a veth pair with an MTU of 1500 and no offloads, so that
 * each packet is one that a network carries. @returns tcpdump's counts, as a sentence
 * @throws Error when packets were dropped: the capture would show losses that are none of the network's
 */
export async function captureLive(path: string, traffic: LiveTraffic): Promise<string> {
  const missing = Object.entries(traffic.packages)
    .filter(([, program]) => !existsSync(program))
    .map(([name]) => name);
  const problem = missing.length === 0 ? undefined : ensurePackages(missing);
  if (problem !== undefined) throw new Error(problem);
  const pair = makePair();
  const children: ChildProcess[] = [];
  try {
    for (const name of [pair.left, pair.right]) noOffloads(pair, name);
    children.push(start(pair, pair.right, traffic.server));
    await sleep(SETTLE_MS);
    const words = ['-Z', 'root', '-n', '-i', 'eth0', '-B', String(RING_KIB), '-w', path, traffic.filter];
    const [program = '', ...args] = pair.inside(pair.right, 'tcpdump', ...words);
    const tcpdump = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    children.push(tcpdump);
    let said = '';
    tcpdump.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
    });
    while (!said.includes('listening')) await sleep(20);
    const client = start(pair, pair.left, traffic.client);
    children.push(client);
    for (const deadline = Date.now() + TIMEOUT_MS; statSync(path).size < traffic.bytes && running(client); ) {
      if (Date.now() > deadline) throw new Error(`${path} did not reach ${traffic.bytes} bytes`);
      await sleep(50);
    }
    client.kill('SIGINT');
    if (running(client)) await once(client, 'exit');
    await sleep(SETTLE_MS);
    tcpdump.kill('SIGINT');
    await once(tcpdump, 'close');
    const count = (pattern: RegExp) => Number(pattern.exec(said)?.[1] ?? Number.NaN);
    const dropped = count(/(\d+) packets? dropped by kernel/);
    if (dropped !== 0) throw new Error(`tcpdump dropped ${dropped} packets: the machine is too busy to capture`);
    return `${count(/(\d+) packets? captured/)} packets captured, none dropped`;
  } finally {
    for (const child of children) await ended(child);
    pair.remove();
  }
}

function running(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** A server that is killed at once would leave its own workers behind. */
async function ended(child: ChildProcess): Promise<void> {
  if (!running(child)) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), SETTLE_MS);
  await exit;
  clearTimeout(late);
}

/** What it prints is of no interest unless it fails. */
function start(pair: NamespacePair, name: string, argv: readonly string[]): ChildProcess {
  const [program = '', ...args] = pair.inside(name, ...argv);
  return spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

function noOffloads(pair: NamespacePair, name: string): void {
  run(pair.inside(name, 'ethtool', '-K', 'eth0', 'tso', 'off', 'gso', 'off', 'gro', 'off', 'tx', 'off', 'rx', 'off'));
}
