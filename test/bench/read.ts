import { readDns } from './read-dns.ts';
import { readFlows } from './read-flows.ts';
import { readMemory } from './read-memory.ts';
import { readParquet } from './read-parquet.ts';
import { readTls } from './read-tls.ts';
import { readTrace } from './read-trace.ts';
import { nginxCapture } from './support/big-capture.ts';
import { compare } from './support/compare-reading.ts';
import type { Bench, Figure } from './support/figure.ts';
import { READ_PEERS } from './support/read-peers.ts';

const read: Bench = {
  name: 'read',
  about: 'ksnoop read -o summary on a gigabyte of nginx under wrk, against what else reads captures',
  async run() {
    const capture = await nginxCapture();
    const figures: Figure[] = [];
    for (const peer of READ_PEERS) figures.push(await compare('read', capture, peer, peer.goal));
    return figures;
  },
};

/** Everything that is asked of reading captures. */
export const READ_BENCHES = [read, readDns, readFlows, readMemory, readParquet, readTls, readTrace] as const;
