import type { SnatPorts } from '../../wire/network-state.ts';
import { SNAT_LEAST, SNAT_PAIRS, SNAT_SHOWN, SNAT_TABLE_BYTES, STATE_READ_MS } from '../limits.ts';
import type { OpenNetns } from './namespace.ts';
import { outputOf, spawnAsRoot } from './spawn-inside.ts';

const TABLE = '/proc/self/net/nf_conntrack';

/**
 * By translated source address and destination: how many connections of a namespace's connection tracking table share them. Each
 * needs a port of its own. Read as root, without capabilities; kernels without NF_CONNTRACK_PROCFS do not have the file.
 * @returns those with the most, at least SNAT_LEAST each; empty where the table could not be read in time
 */
export async function readSnatPorts(namespace: OpenNetns, session: string): Promise<SnatPorts[]> {
  const child = spawnAsRoot(namespace, session, ['head', '-c', String(SNAT_TABLE_BYTES), TABLE]);
  const table = new SnatTable();
  await outputOf(child, STATE_READ_MS, (chunk) => table.add(chunk.toString('latin1')));
  return table.most();
}

/** `… src=10.244.0.5 dst=1.1.1.1 sport=4000 dport=443 … src=1.1.1.1 dst=192.0.2.1 sport=443 dport=1025 …`: the reply's direction is the second. */
const ENTRY = /\bsrc=(\S+) dst=(\S+) sport=\d+ dport=(\d+) .*?\bsrc=\S+ dst=(\S+) sport=\d+ dport=\d+/;

/** Counts the entries of a table as they come. */
export class SnatTable {
  readonly #counts = new Map<string, number>();
  #rest = '';

  add(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = (lines.pop() ?? '').slice(-4096);
    for (const line of lines) this.#count(line);
  }

  most(): SnatPorts[] {
    return [...this.#counts]
      .filter(([, count]) => count >= SNAT_LEAST)
      .sort((a, b) => b[1] - a[1])
      .slice(0, SNAT_SHOWN)
      .map(([key, count]) => {
        const [address = '', destination = '', port = ''] = key.split(' ');
        return { address, destination, port: Number(port), count };
      });
  }

  #count(line: string): void {
    if (!line.includes(' tcp ')) return;
    const [, source, destination, port, translated] = ENTRY.exec(line.slice(0, 1024)) ?? [];
    if (source === undefined || source === translated) return;
    const key = `${translated} ${destination} ${port}`;
    const count = this.#counts.get(key);
    if (count !== undefined || this.#counts.size < SNAT_PAIRS) this.#counts.set(key, (count ?? 0) + 1);
  }
}
