import type { TestCluster } from '../../support/cluster.ts';
import { applyText, kubectl } from '../../support/shop.ts';

/** Many small pods that serve bulk transfers. */
export interface Herd {
  readonly namespace: string;
  /** Their addresses. */
  readonly addresses: readonly string[];
  remove(): Promise<void>;
}

/** Make so many pods and wait until they serve. */
export async function makeHerd(on: TestCluster, replicas: number): Promise<Herd> {
  const namespace = `ksnoop-bench-${process.pid}`;
  const path = 'jsonpath={.spec.template.spec.containers[0].image}';
  const image = await kubectl(on, 'get', 'deployment/client', '-n', 'shop', '-o', path);
  const labels = { app: 'herd' };
  const container = { name: 'main', image, command: ['/usr/bin/transfer', 'serve', '5300'] };
  const spec = { terminationGracePeriodSeconds: 0, containers: [container] };
  const herd = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'herd', namespace },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
  const objects = [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, herd];
  await applyText(on, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  await kubectl(on, 'rollout', 'status', '-n', namespace, 'deployment/herd', '--timeout=300s');
  const ips = 'jsonpath={.items[*].status.podIP}';
  const addresses = (await kubectl(on, 'get', 'pods', '-n', namespace, '-o', ips)).trim().split(' ');
  const remove = async () => void (await on.kubectl('delete', 'namespace', namespace, '--wait=false'));
  return { namespace, addresses, remove };
}

/**
 * Fetch from servers of a herd, by the shop's client.
 * @param together whether all at once, or one after the other
 */
export async function fetchFrom(on: TestCluster, addresses: readonly string[], bytes: number, together: boolean) {
  const script = `
    const { connect } = require('net');
    const fetch = (host) => new Promise((done, fail) => {
      const socket = connect({ host, port: 5300 }, () => socket.write('${bytes}'));
      socket.on('data', () => {}).on('close', done).on('error', fail);
    });
    (async () => {
      const hosts = ${JSON.stringify(addresses)};
      if (${together}) await Promise.all(hosts.map(fetch));
      else for (const host of hosts) await fetch(host);
    })();`;
  await kubectl(on, 'exec', '-n', 'shop', 'deploy/client', '--', '/usr/bin/node', '-e', script);
}
