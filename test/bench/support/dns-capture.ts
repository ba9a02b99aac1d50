import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RIGHT_ADDRESS } from '../../agent/namespaces.ts';
import { type Kept, kept } from './kept.ts';
import { captureLive } from './live-capture.ts';

const SERVICES = 500;
const QUERIES = 500_000;

/** Of a cluster's names: Services with IPv4 and IPv6 addresses, every fourth name one that does not exist. */
const QUESTIONS = Array.from({ length: SERVICES }, (_, index) => {
  const name = `service-${index}.team-${index % 20}.svc.cluster.local`;
  return index % 4 === 3 ? `${name}.team-1.svc.cluster.local A` : `${name} ${index % 2 === 0 ? 'A' : 'AAAA'}`;
});

/** What dnsmasq knows; what it does not, does not exist. */
const HOSTS = Array.from({ length: SERVICES }, (_, index) => {
  const name = `service-${index}.team-${index % 20}.svc.cluster.local`;
  return `10.96.${index >> 8}.${index & 255} ${name}\nfd00::${index.toString(16)} ${name}`;
});

const CLIENT = ['dnsperf', '-s', RIGHT_ADDRESS, '-c', '20', '-q', '200'];
const SERVER = ['dnsmasq', '-k', '-u', 'root', '--no-resolv', '--no-hosts', '--local=/#/', '--log-facility=/dev/null'];

/** A million packets of DNS between dnsperf and dnsmasq: half of them queries, half of them answers. */
export function dnsCapture(): Promise<Kept> {
  return kept('dns.pcap', [QUESTIONS, HOSTS, QUERIES, CLIENT, SERVER], async (path) => {
    const directory = mkdtempSync(join(tmpdir(), 'ksnoop-dns-'));
    const file = (name: string, lines: readonly string[]) => {
      writeFileSync(join(directory, name), `${lines.join('\n')}\n`);
      return join(directory, name);
    };
    try {
      return await captureLive(path, {
        packages: { 'dnsmasq-base': '/usr/sbin/dnsmasq', dnsperf: '/usr/bin/dnsperf', ethtool: '/usr/sbin/ethtool' },
        server: [...SERVER, `--pid-file=${join(directory, 'pid')}`, `--addn-hosts=${file('hosts', HOSTS)}`],
        client: [...CLIENT, '-d', file('questions', QUESTIONS), '-n', String(QUERIES / SERVICES)],
        filter: 'udp port 53',
        bytes: Number.POSITIVE_INFINITY,
      });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
}
