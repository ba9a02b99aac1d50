import { randomBytes } from 'node:crypto';
import { ensurePackages } from '../../test/support/packages.ts';
import { ensureAgent, ensureShop, requests, shopPods } from '../../test/support/shop.ts';
import { Ksnoop } from './ksnoop.ts';

const FILE = 'ksnoop-demo.pcapng';
const REQUESTS = 40;

function say(line: string): void {
  process.stderr.write(`demo: ${line}\n`);
}

/** A real two-node Kubernetes with a shop that trades; `ksnoop pod/web-1 pod/web-2` while its client asks for pages. */
export async function clusterDemo(): Promise<void> {
  const missing = ensurePackages();
  if (missing !== undefined) throw new Error(missing);
  say('bringing up two nodes (the first time ever this builds Kubernetes, about ten minutes) ...');
  const on = await ensureShop(say);
  await ensureAgent(say);
  process.env.KUBECONFIG = on.kubeconfig;
  const targets = (await shopPods(on, 'web')).map(({ name }) => `pod/${name}`);
  say(`$ ksnoop -n shop ${targets.join(' ')}`);
  const run = randomBytes(4).toString('hex');
  const lines = new Ksnoop(['-n', 'shop', ...targets, '-o', 'text', '-f', 'tcp port 8080', '--count', '60'], true);
  const file = new Ksnoop(['-n', 'shop', ...targets, '-w', FILE, '--force'], false);
  await Promise.all([lines.capturing(targets.length), file.capturing(targets.length)]);
  const report = await requests(on, { n: REQUESTS, run });
  say(`the client made ${report.sent} requests and got ${JSON.stringify(report.status)}`);
  await lines.stop();
  const code = await file.stop();
  if (code !== 0) throw new Error(`ksnoop ended with ${code}`);
  say(`$ ksnoop read ${FILE} -o summary`);
  if ((await new Ksnoop(['read', FILE, '-o', 'summary'], true).ended()) !== 0) throw new Error('ksnoop read failed');
  say(`the packets, with the pods' names, are in ${FILE}: wireshark ${FILE}`);
  say('the cluster is still up: npm run cluster -- status, and npm run cluster -- down');
}

/** Show what runs in an existing cluster's agents' sight: fifteen seconds of the pods named by the context's namespace. */
export async function contextDemo(context: string): Promise<void> {
  say(`$ ksnoop status --context ${context}`);
  const status = new Ksnoop(['status', '--context', context], true);
  const code = await status.ended();
  if (code !== 0) throw new Error('put the agents on its nodes first: ksnoop install --image IMAGE');
  say(`now capture any pod of it: ksnoop --context ${context} -n NAMESPACE pod/NAME`);
}
