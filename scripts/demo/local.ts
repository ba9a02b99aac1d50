import { setTimeout as sleep } from 'node:timers/promises';
import { ensurePackages } from '../../test/support/packages.ts';
import { Ksnoop } from './ksnoop.ts';
import { HOSTS, type Host, LocalNetwork } from './local-network.ts';

const FILE = 'ksnoop-demo.pcapng';
const PATHS = ['/', '/large.bin', '/missing', '/'];

/** Three network namespaces with real programs, captured together and shown line by line. */
export async function localDemo(): Promise<void> {
  const missing = ensurePackages(['iproute2', 'util-linux', 'tcpdump', 'dnsmasq-base', 'busybox-static', 'curl']);
  if (missing !== undefined) throw new Error(missing);
  const network = new LocalNetwork();
  const abort = () => {
    network.down();
    process.exit(130);
  };
  process.once('SIGINT', abort);
  process.once('SIGTERM', abort);
  try {
    say('making three hosts: client (curl), web (busybox httpd), dns (dnsmasq) ...');
    network.up();
    const targets = Object.keys(HOSTS).map((host) => `netns/${LocalNetwork.namespace(host as Host)}`);
    const hosts = targets.length;
    say(`$ ksnoop --local ${targets.join(' ')}`);
    const lines = new Ksnoop(['--local', ...targets, '-o', 'text', '-f', 'not ip6'], true);
    const file = new Ksnoop(['--local', ...targets, '-w', FILE, '--force'], false);
    await Promise.all([lines.capturing(hosts), file.capturing(hosts)]);
    for (const path of PATHS) {
      const status = network.fetch(path);
      say(`curl http://web.demo${path} → ${status}`);
      await sleep(300);
    }
    const codes = [await lines.stop(), await file.stop()];
    if (codes.some((code) => code !== 0)) throw new Error(`ksnoop ended with ${codes.join(' and ')}`);
    say(`$ ksnoop read ${FILE} -o summary`);
    if ((await new Ksnoop(['read', FILE, '-o', 'summary'], true).ended()) !== 0) throw new Error('ksnoop read failed');
    say(`the packets, with the hosts' names, are in ${FILE}: wireshark ${FILE}`);
  } finally {
    network.down();
    process.off('SIGINT', abort);
    process.off('SIGTERM', abort);
  }
}

function say(line: string): void {
  process.stderr.write(`demo: ${line}\n`);
}
