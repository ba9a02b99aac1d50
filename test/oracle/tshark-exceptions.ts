/** A hole in a stream never closes, or its end was not captured: tshark is not to wait for the rest before it says something. */
const HOLES = ['-o', 'tcp.reassemble_out_of_order:FALSE', '-o', 'http.desegment_body:FALSE'];

/**
 * Words to tshark beside those for every file, by the end of a file's path: it knows some protocols by their ports alone
 * (and takes such a port for its protocol, whatever is said there), and waits for what never comes.
 */
const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  'captures/http2.pcap': ['-d', 'tcp.port==50051,http2'],
  'captures/kafka-old.pcap': ['-d', 'tcp.port==9094,kafka'],
  'captures/kafka.pcap': ['-d', 'tcp.port==9094,kafka'],
  'captures/mongodb.pcap': ['-d', 'tcp.port==27017,mongo'],
  'captures/mongodb-compressed.pcap': ['-d', 'tcp.port==27018,mongo'],
  'captures/triple.pcap': ['-d', 'tcp.port==50051,http2'],
  'tcpdump/accecn_handshake.pcap': HOLES,
  'tcpdump/dns_tcp_8053.pcap': ['-d', 'tcp.port==8053,dns'],
  'tcpdump/vxlan_port_8472.pcap': ['-d', 'udp.port==8472,vxlan'],
  'zeek/erspan.pcap': HOLES,
  'zeek/http/1000-requests-one-dropped-response.pcap.gz': HOLES,
  'zeek/http/bro.org.pcap': HOLES,
  'zeek/http/content-range-gap-skip.pcap': HOLES,
  'zeek/http/content-range-gap.pcap': HOLES,
  'zeek/http/entity_gap.pcap': HOLES,
  'zeek/http/entity_gap2.pcap': HOLES,
  'zeek/http/get-to-ssh-server.pcap': ['-d', 'tcp.port==22,http'],
  'zeek/http/http-single-conn-22.pcap': ['-d', 'tcp.port==22,http'],
  'zeek/http/http-to-ssh.pcap': ['-d', 'tcp.port==22,http'],
  'zeek/http/putty-upload.pcap': HOLES,
  'zeek/http/zeek-image-post-1080-8000-x.pcap': ['-d', 'tcp.port==1080,http'],
  'zeek/http/zero-length-bodies-with-drops.pcap': HOLES,
  'zeek/pe/pe_files_timestamp.pcap.gz': HOLES,
  'zeek/postgresql/http-on-port-5432.pcap': ['-d', 'tcp.port==5432,http'],
  'zeek/postgresql/mysql-on-port-5432.pcap': ['-d', 'tcp.port==5432,mysql'],
  'zeek/postgresql/psql-aws-ssl-disable-15432.pcap': ['-d', 'tcp.port==15432,pgsql'],
  'zeek/redis/django-cloud.pcapng': ['-d', 'tcp.port==10625,resp'],
  'zeek/spicy/gap-recovery.pcap': HOLES,
  'zeek/tcp-http-with-padding.pcap': ['-d', 'tcp.port==27272,http'],
  'zeek/tls/ssl-to-http-server.pcap': ['-d', 'tcp.port==80,tls'],
  'zeek/tls/https-to-http.pcap': ['-d', 'tcp.port==80,tls'],
  'zeek/tunnels/gtp/gtp1_gn_normal_incl_fragmentation.pcap': HOLES,
};

/** Of a file: what is said to tshark beside what it is told for all. */
export function exceptionsOf(path: string): readonly string[] {
  const [, words] = Object.entries(EXCEPTIONS).find(([end]) => path.endsWith(`/${end}`)) ?? [];
  return words ?? [];
}
