import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { TestCluster } from './cluster.ts';
import { HANG_MS } from './hang.ts';
import { kubectl, type ShopPod } from './shop.ts';

/** A TCP packet as tshark reads it. */
export interface SeenPacket {
  /** What tells it from others: addresses, ports, identification, numbers, length. */
  readonly key: string;
  /** Seconds since 1970. */
  readonly time: number;
  /** The interface's number and name in the file. */
  readonly interfaceId: number;
  readonly interfaceName: string;
}

/** A tcpdump of this machine in the network namespace of a pod of our own cluster: it needs no part of the cluster. */
export class GroundTruth {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #stderr = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#closed = once(child, 'close');
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString('utf8');
    });
  }

  /** Begin to capture the TCP packets of one port. @returns when tcpdump listens */
  static async begin(on: TestCluster, pod: ShopPod, port: number, file: string): Promise<GroundTruth> {
    const uid = await kubectl(on, 'get', 'pod', '-n', 'shop', pod.name, '-o', 'jsonpath={.metadata.uid}');
    const inside = ['nsenter', `--net=/proc/${processOfPod(uid)}/ns/net`];
    const tcpdump = ['tcpdump', '-Z', 'root', '-n', '-U', '-i', 'any', '--time-stamp-precision=nano', '-w', '-'];
    const [program = '', ...args] = [...inside, ...tcpdump, `tcp port ${port}`];
    const truth = new GroundTruth(spawn(program, args, { stdio: ['ignore', openSync(file, 'w'), 'pipe'] }));
    const deadline = Date.now() + HANG_MS;
    while (!truth.#stderr.includes('listening on')) {
      if (truth.#child.exitCode !== null || Date.now() > deadline) throw new Error(`tcpdump: ${truth.#stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return truth;
  }

  async end(): Promise<void> {
    this.#child.kill('SIGINT');
    await this.#closed;
  }
}

/** A process of a pod: its cgroup has the pod's UID. */
function processOfPod(uid: string): string {
  const forms = [uid, uid.replaceAll('-', '_')];
  const found = readdirSync('/proc').find((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const cgroups = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
      return forms.some((form) => cgroups.includes(form));
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error(`no process of the pod ${uid}`);
  return found;
}

const FIELDS = ['time_epoch', 'interface_id', 'interface_name'].map((field) => `frame.${field}`);
const KEY_FIELDS = ['ip.src', 'ip.dst', 'ip.id', 'ip.len', 'tcp.srcport', 'tcp.dstport', 'tcp.seq_raw', 'tcp.ack_raw'];

/** The TCP packets of one port in a capture file, by tshark, and how many packets there are in all. */
export async function packetsIn(file: string, port: number): Promise<{ packets: SeenPacket[]; total: number }> {
  const fields = [...FIELDS, 'tcp.port', ...KEY_FIELDS].flatMap((field) => ['-e', field]);
  const { stdout } = await promisify(execFile)(
    'tshark',
    ['-n', '-r', file, '-T', 'fields', '-E', 'separator=|', '-E', 'occurrence=a', ...fields],
    { maxBuffer: 2 ** 30 },
  );
  const rows = stdout.split('\n').filter((row) => row !== '');
  const packets: SeenPacket[] = [];
  for (const row of rows) {
    const [time = '', id = '', interfaceName = '', ports = '', ...key] = row.split('|');
    // A packet that is quoted by an ICMP error has every field twice, or no ports of its own.
    if (ports.split(',').length !== 2 || !ports.split(',').includes(String(port))) continue;
    packets.push({ key: key.join('|'), time: Number(time), interfaceId: Number(id), interfaceName });
  }
  return { packets, total: rows.length };
}
