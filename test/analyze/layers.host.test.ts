import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CAPTURES, captureFiles } from '../support/captures.ts';
import { expectAgreement } from './comparison-table.ts';
import { TSHARK_LAYER } from './tshark-layers.ts';

/** One file in so many, and beside them small files with the layers and link types that are rare. */
const ONE_IN = 20;
const RARE = [
  'tcpdump/extract_read2_asan.pcap',
  'tcpdump/forces1.pcap',
  'tcpdump/heap-overflow-1.pcap',
  'tcpdump/heapoverflow-ip_demux_print.pcap',
  'tcpdump/hoobr_rt6_print.pcap',
  'tcpdump/icmp-cksum-oobr-1.pcap',
  'tcpdump/ip6_frag_asan.pcap',
  'tcpdump/ipv6-rthdr-oobr.pcap',
  'tcpdump/ipv6_frag6_negative_len.pcap',
  'tcpdump/ipx-invalid-length.pcap',
  'tcpdump/ospf-signed-integer-ubsan.pcap',
  'tcpdump/nflog.pcap',
  'tcpdump/quic_32_bit_pointer_overflow.pcap',
  'tcpdump/802.1ad_QinQ.pcap',
  'tcpdump/bigtcp-ipv6.pcap',
  'tcpdump/LINKTYPE_IPV4_invalid.pcap',
  'zeek/linux_dlt_sll2.pcap',
  'zeek/ipv6_zero_len_ah.pcap',
  'tcpdump/vxlan.pcap',
  'tcpdump/geneve.pcap',
  'tcpdump/various_gre.pcap',
  'tcpdump/erspan-type-ii-1.pcap',
  'tcpdump/erspan-type-iii-ft-0.pcap',
  'tcpdump/mpls-traceroute.pcap',
  'tcpdump/pppoes.pcap',
  'tcpdump/ppp_ip_udp_dns.pcap',
  'zeek/tunnels/gtp/gtp_ext_header.pcap',
  'zeek/tunnels/gtp/gtp8_teredo.pcap',
];

const LINK_TYPES = [0, 1, 101, 113, 228, 229, 239, 276];

const files = captureFiles();
const rare = RARE.map((name) => join(CAPTURES, name));
const OWN = join(import.meta.dirname, 'layers/captures');
const own = ['tunnel-ip.pcap', 'tunnel-wireguard.pcap'].map((name) => join(OWN, name));
/** No capture at hand has it: layers/tunnel-bounds.test.ts has it built by hand. */
const WITHOUT_CAPTURE = 'pwethcw';
const sample = [...files.filter((file, index) => index % ONE_IN === 7 || rare.includes(file)), ...own];

/** Without answers in the cache, on a busy machine. */
const TIMEOUT_MS = 300_000;

describe('layers of a sample of captures against tshark', () => {
  it.skipIf(files.length === 0)(
    'agree frame by frame, every layer and link type among them',
    { timeout: TIMEOUT_MS },
    async () => {
      expect(files).toEqual(expect.arrayContaining(rare));
      const comparisons = await expectAgreement(sample);
      const agreed = new Set(comparisons.flatMap(({ agreements }) => [...agreements.keys()]));
      const wanted = Object.values(TSHARK_LAYER).filter((layer) => layer !== WITHOUT_CAPTURE);
      for (const layer of wanted) expect([...agreed]).toContain(`layer ${layer}`);
      expect(comparisons.flatMap(({ linkTypes }) => linkTypes)).toEqual(expect.arrayContaining(LINK_TYPES));
    },
  );
});
