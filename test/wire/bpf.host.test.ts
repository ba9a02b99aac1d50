// Filters compiled by tcpdump and run by ksnoop let the same packets pass as tcpdump does itself.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compileFilter } from '../../src/run/convert/bpf-filter.ts';
import { CaptureFramer } from '../../src/wire/capture-read.ts';
import { CAPTURES, captureFiles } from '../support/captures.ts';

const own = join(import.meta.dirname, '../analyze/protocols/captures');
const OWN = ['dns.pcap', 'http2.pcap', 'postgresql.pcap', 'kafka.pcap', 'quic.pcap'].map((name) => join(own, name));
const OTHERS = [
  'tcpdump/802.1ad_QinQ.pcap',
  'tcpdump/various_gre.pcap',
  'tcpdump/vxlan.pcap',
  'tcpdump/geneve.pcap',
  'tcpdump/mpls-traceroute.pcap',
  'tcpdump/pppoes.pcap',
  'zeek/linux_dlt_sll2.pcap',
  'zeek/ipv6_zero_len_ah.pcap',
  'zeek/dns53.pcap',
].map((name) => join(CAPTURES, name));

const FILTERS = [
  '',
  'tcp',
  'udp port 53',
  'ip and not tcp',
  'ip6',
  'host 127.0.0.1',
  'tcp[tcpflags] & (tcp-syn|tcp-fin) != 0',
  'tcp port 5432 and greater 100',
  'less 80 or icmp',
  'ip[2:2] > 200 and ip[8] < 65',
  'net 10.0.0.0/8 and portrange 1-1024',
  'ether[0] & 1 = 0 and ip[6:2] & 0x1fff = 0',
  'tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420',
  'udp[4:2] * 3 - 7 >= 60 and udp[4:2] % 4 != 1',
  'ip6 and ip6[6] = 58 or arp',
  'len / 2 > 40 and (len ^ 5) & 3 = 1',
];

interface Packet {
  readonly bytes: Uint8Array;
  readonly origlen: number;
}

function packetsOf(path: string): { linkType: number; packets: Packet[] } {
  const packets: Packet[] = [];
  let linkType = -1;
  const framer = new CaptureFramer({
    interface: (_id, described) => {
      linkType = described.linkType;
    },
    packet: (bytes, offset, caplen, origlen) => {
      packets.push({ bytes: Uint8Array.from(bytes.subarray(offset, offset + caplen)), origlen });
    },
  });
  framer.push(readFileSync(path));
  return { linkType, packets };
}

const paths = captureFiles().length > 0 ? [...OWN, ...OTHERS] : OWN;

test.each(paths.map((path) => [path.split('/').slice(-2).join('/'), path] as const))('%s', (_, path) => {
  const { linkType, packets } = packetsOf(path);
  let passed = 0;
  for (const filter of FILTERS) {
    const whole = execTcpdump(path, filter);
    if (whole === undefined) {
      // Filters for a layer that the link type has not are refused, by whoever compiles them.
      expect(() => compileFilter(filter, linkType), filter).toThrow(/BAD_FILTER|does not compile/);
      continue;
    }
    const program = compileFilter(filter, linkType);
    const ours = packets.filter(({ bytes, origlen }) => program.passes(bytes, 0, bytes.length, origlen)).length;
    expect(ours, filter).toBe(whole);
    passed += ours;
  }
  expect(passed).toBeGreaterThan(packets.length - 1);
});

/** How many packets tcpdump lets pass; undefined when it refuses the filter. */
function execTcpdump(path: string, filter: string): number | undefined {
  try {
    const argv = ['-n', '-r', path, '--count', '--', filter];
    const text = execFileSync('tcpdump', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    return Number(/^(\d+) packets?$/m.exec(text)?.[1]);
  } catch {
    return undefined;
  }
}
