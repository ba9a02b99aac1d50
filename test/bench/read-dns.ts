import { compare } from './support/compare-reading.ts';
import { dnsCapture } from './support/dns-capture.ts';
import type { Bench } from './support/figure.ts';
import { tcpdump } from './support/read-peers.ts';

const GOAL = 5;

/** Small packets: what each one costs, rather than each byte. */
export const readDns: Bench = {
  name: 'read-dns',
  about: 'ksnoop read -o summary on a million packets of DNS, against tcpdump -nr',
  async run() {
    return [await compare('read DNS', await dnsCapture(), tcpdump, GOAL)];
  },
};
