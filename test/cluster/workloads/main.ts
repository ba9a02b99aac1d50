/** `npm run cluster -- shop up | down`: the programs that talk to one another, and the agents that watch them. */
import { ensureAgent, ksnoop } from '../../support/shop.ts';
import { ensureStores } from '../../support/stores.ts';

const say = (line: string) => void process.stderr.write(`${line}\n`);

switch (process.argv[2]) {
  case 'up':
    await ensureStores(say);
    await ensureAgent(say);
    say('the shop trades in namespace shop, and the agents are ready: ksnoop -n shop pod/NAME');
    break;
  case 'down': {
    const { cluster } = await import('../../support/cluster.ts');
    const on = await cluster();
    await ksnoop(on, 'uninstall');
    await on.kubectl('delete', 'namespace', 'shop', '--ignore-not-found');
    await on.kubectl('delete', 'ingressclass,clusterrole,clusterrolebinding', '-l', 'app=shop', '--ignore-not-found');
    say('the shop and the agents are gone');
    break;
  }
  default:
    say('usage: shop up | down');
    process.exitCode = 2;
}
