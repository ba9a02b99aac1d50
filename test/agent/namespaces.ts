import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export const LEFT_ADDRESS = '10.99.0.1';
export const RIGHT_ADDRESS = '10.99.0.2';

/** Two network namespaces joined by a veth pair, `eth0` in each. The machine's own namespace is never touched. */
export interface NamespacePair {
  readonly left: string;
  readonly right: string;
  /** Arguments that run a program inside one of them. `nsenter` rather than `ip netns exec`, which remounts /sys. */
  inside(name: string, ...argv: string[]): string[];
  remove(): void;
}

let made = 0;

export function makePair(): NamespacePair {
  made += 1;
  const left = `ksnoop-${process.pid}-${made}-left`;
  const right = `ksnoop-${process.pid}-${made}-right`;
  ip('netns', 'add', left);
  ip('netns', 'add', right);
  ip('-n', left, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', right);
  for (const [name, address] of [
    [left, LEFT_ADDRESS],
    [right, RIGHT_ADDRESS],
  ] as const) {
    // No IPv6: its neighbour discovery would add packets that the tests have not sent.
    run(inside(name, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6'));
    ip('-n', name, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    ip('-n', name, 'link', 'set', 'eth0', 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
  }
  const remove = () => {
    process.off('exit', remove);
    for (const name of [left, right]) spawnSync('ip', ['netns', 'delete', name], { stdio: 'ignore' });
  };
  process.on('exit', remove);
  return { left, right, inside, remove };
}

const TRAFFIC = join(import.meta.dirname, 'traffic.ts');

/** What `traffic.ts` in a namespace is started with. */
export function traffic(pair: NamespacePair, name: string, ...words: (string | number)[]): string[] {
  return pair.inside(name, 'node', TRAFFIC, ...words.map(String));
}

/** Packets a namespace's eth0 has sent so far, by the kernel's own count. */
export function packetsSent(pair: NamespacePair, name: string): number {
  const line = run(pair.inside(name, 'cat', '/proc/net/dev'))
    .split('\n')
    .find((text) => text.trim().startsWith('eth0:'));
  return Number(line?.trim().split(/\s+/)[10]);
}

/** Run a program to its end and return what it printed. */
export function run(argv: readonly string[]): string {
  const [program = '', ...rest] = argv;
  return execFileSync(program, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Start a program and wait for its first output: then it is at work. */
export async function background(argv: readonly string[]) {
  const [program = '', ...rest] = argv;
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

function ip(...args: string[]): void {
  run(['ip', ...args]);
}

function inside(name: string, ...argv: string[]): string[] {
  return ['nsenter', `--net=/run/netns/${name}`, '--', ...argv];
}
