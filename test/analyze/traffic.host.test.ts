import { globSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TCP_TROUBLES } from '../oracle/tshark-traffic.ts';
import { CAPTURES, captureFiles } from '../support/captures.ts';
import { SUBJECTS } from './message-subjects.ts';
import { expectTrafficAgrees } from './traffic-agreement.ts';

const OWN = join(import.meta.dirname, 'protocols');
/** One capture of others in so many: all of them are in the fuzz project. */
const ONE_IN = 40;
/** Small ones of what is rare. */
const RARE = [
  'tcpdump/bgp-shutdown-msg-variations.pcap',
  'tcpdump/mptcp-fclose.pcap',
  'tcpdump/resp_2_inline.pcap',
  'zeek/http/206_example_b.pcap',
  'zeek/http/connect-with-header.pcap',
  'zeek/http/iso-download.pcap.gz',
  'zeek/http/methods.pcap',
  'zeek/mysql/query-attr.pcap',
  'zeek/redis/pubsub.pcap',
  'zeek/redis/set.pcap',
  'zeek/tcp/retransmit-fast009.pcap',
  'zeek/tcp/retransmit-timeout.pcapng',
  'zeek/websocket/wstunnel-http.pcap',
];
/** Without answers in the cache, on a busy machine. */
const TIMEOUT_MS = 300_000;

const own = globSync('captures/*.pcap', { cwd: OWN })
  .sort()
  .map((name) => join(OWN, name));
const rare = RARE.map((name) => join(CAPTURES, name));
const others = captureFiles().filter((path, index) => index % ONE_IN === 11 || rare.includes(path));

test(
  'connections, streams and messages of our own captures agree with tshark',
  async () => {
    await expectTrafficAgrees(OWN, own);
  },
  TIMEOUT_MS,
);

test.skipIf(others.length === 0)(
  'and those of a sample of the captures of others, in which whatever is compared occurs',
  async () => {
    const { agreements } = await expectTrafficAgrees(CAPTURES, others);
    const owns = await expectTrafficAgrees(OWN, own);
    const expected = ['frames', 'TCP streams', 'bytes of streams', ...Object.keys(TCP_TROUBLES)];
    for (const { name } of SUBJECTS) expected.push(name);
    expect([...agreements.keys(), ...owns.agreements.keys()]).toEqual(expect.arrayContaining(expected));
  },
  TIMEOUT_MS,
);
