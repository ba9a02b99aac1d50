import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONTROL_PLANE_ADDRESS, type Layout, SERVICE_CIDR } from './layout.ts';
import { pause, run } from './run.ts';

/**
 * The cluster's network: a namespace `switch` that holds a bridge, and one for the control plane and each node that
 * hangs on it by a veth pair. The machine's own network namespace is never touched: no address, route or rule is added.
 */
export const controlPlaneNetwork = (layout: Layout) => join(layout.networks, 'cp');

interface Port {
  readonly name: string;
  readonly file: string;
  readonly address: string;
}

const bridgeOf = (layout: Layout) => join(layout.networks, 'switch');
/** Written when the network is whole. */
const completeOf = (layout: Layout) => join(layout.networks, 'complete');

const portsOf = (layout: Layout): Port[] => [
  { name: 'cp', file: controlPlaneNetwork(layout), address: CONTROL_PLANE_ADDRESS },
  ...layout.nodes.map(({ name, network, address }) => ({ name, file: network, address })),
];

/** Whether the whole network is there: an `up` that was killed leaves half of one, a restart of the machine none. */
export function networkStands(layout: Layout): boolean {
  const mounted = mountsBelow(layout.networks);
  const files = [bridgeOf(layout), ...portsOf(layout).map((port) => port.file)];
  return existsSync(completeOf(layout)) && files.every((file) => mounted.includes(file));
}

export async function makeNetwork(layout: Layout): Promise<void> {
  const ports = portsOf(layout);
  const bridge = bridgeOf(layout);
  mkdirSync(layout.networks, { recursive: true });
  for (const file of [bridge, ...ports.map((port) => port.file)]) {
    writeFileSync(file, '');
    await run(['unshare', `--net=${file}`, 'true']);
  }
  await inNetwork(
    bridge,
    ['link set lo up', 'link add br0 type bridge forward_delay 0', 'link set br0 up'].concat(
      ports.flatMap(({ name, file }) => [
        `link add ${name} type veth peer name eth0 netns ${file}`,
        `link set ${name} master br0`,
        `link set ${name} up`,
      ]),
    ),
  );
  for (const port of ports) {
    const others = layout.nodes.filter((node) => node.name !== port.name);
    await inNetwork(port.file, [
      'link set lo up',
      `address add ${port.address}/24 dev eth0`,
      'link set eth0 up',
      ...others.map((node) => `route add ${node.podCidr} via ${node.address}`),
      // kube-proxy rewrites a Service's address on the way out, but the kernel wants a route before it looks at the rules.
      ...(port.name === 'cp' ? [] : [`route add ${SERVICE_CIDR} dev eth0`]),
    ]);
    await run(['nsenter', `--net=${port.file}`, 'sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward']);
  }
  writeFileSync(completeOf(layout), '');
}

/** Cuts a node off from the others and from the control plane for so long, milliseconds: its cable is pulled. */
export async function cutOff(layout: Layout, node: string, forMs: number): Promise<void> {
  const bridge = bridgeOf(layout);
  await inNetwork(bridge, [`link set ${node} down`]);
  try {
    await pause(forMs);
  } finally {
    await inNetwork(bridge, [`link set ${node} up`]);
  }
}

async function inNetwork(file: string, commands: readonly string[]): Promise<void> {
  await run(['nsenter', `--net=${file}`, 'ip', '-batch', '-'], { input: `${commands.join('\n')}\n` });
}

/** The mount points at or below a directory in this mount namespace, innermost first. */
export function mountsBelow(directory: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point === directory || point.startsWith(`${directory}/`))
    .reverse();
}

/** Unmounts what is mounted below a directory. */
export async function unmountBelow(directory: string): Promise<void> {
  for (const point of mountsBelow(directory)) await run(['umount', '--lazy', '--no-mtab', point]);
}
