import { once } from 'node:events';
import type { TestCluster } from '../../support/cluster.ts';
import type { ShopPod } from '../../support/shop.ts';
import { kubectlProcess } from './kubectl.ts';

const REQUESTS_A_SECOND = 100;

/**
 * Sends a pod of the shop a request every 10 ms, by a program that takes little of the processor: so a benchmark of the
 * first packet measures neither the wait for traffic nor the load.
 * @returns what ends it
 */
export function trickle(on: TestCluster, { ip }: ShopPod): () => Promise<void> {
  // Killing kubectl leaves what it has started running, so it ends with its stdin.
  const requests = `curl -s --rate ${REQUESTS_A_SECOND}/s -o /dev/null "http://${ip}:8080/ok?[1-1000000]"`;
  const script = `${requests} & cat > /dev/null; kill $!`;
  const load = kubectlProcess(on, 'exec', '-i', '-n', 'shop', 'deploy/client', '--', 'sh', '-c', script);
  return async () => {
    load.stdin?.end();
    await once(load, 'close');
  };
}
