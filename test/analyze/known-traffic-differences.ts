import type { TrafficDifference } from './traffic-agreement.ts';

/** Where tshark 4.0 and ksnoop say different things of connections and messages, looked at one by one, and why that is to stay. */
interface KnownDifference {
  /** The file's name, or what it ends with. */
  readonly file: string;
  readonly what: readonly string[];
  readonly reason: string;
}

export const KNOWN_TRAFFIC_DIFFERENCES: readonly KnownDifference[] = [
  {
    file: 'http2.pcap',
    what: ['HTTP/2 requests', 'HTTP/2 statuses', 'gRPC statuses'],
    reason:
      'tshark does not look for HTTP/2 on port 50051 unless told; of interim statuses (103) ksnoop tells in http.interim',
  },
  {
    file: 'kafka.pcap',
    what: ['Kafka requests'],
    reason: 'tshark knows Kafka by its port 9092 alone; one broker of the capture listens elsewhere',
  },
  {
    file: 'kafka-old.pcap',
    what: ['Kafka requests'],
    reason: 'tshark knows Kafka by its port 9092 alone; one broker of the capture listens elsewhere',
  },
  {
    file: 'mysql.pcap',
    what: ['MySQL statements'],
    reason: 'ksnoop masks the password',
  },
  {
    file: 'postgresql.pcap',
    what: ['PostgreSQL statements'],
    reason: 'ksnoop masks the password',
  },
  {
    file: 'quic.pcap',
    what: ['TLS application protocols agreed on'],
    reason: 'where the answer is encrypted tls.alpn says what was offered',
  },
  {
    file: 'tls.pcap',
    what: ['TLS application protocols agreed on'],
    reason: 'where the answer is encrypted tls.alpn says what was offered',
  },
  {
    file: 'tls.pcap',
    what: ['HTTP statuses'],
    reason: "an HTTP server's 400 in answer to TLS is told as the handshake's failure",
  },
  {
    file: 'zeek/quic/quic-multiple-initial-fragmented-crypto.pcap',
    what: ['TLS application protocols agreed on'],
    reason: 'where the answer is encrypted tls.alpn says what was offered',
  },
  {
    file: 'zeek/tls/tls13draft23-chrome67.0.3368.0-canary.pcap',
    what: ['TLS application protocols agreed on'],
    reason: 'where the answer is encrypted tls.alpn says what was offered',
  },
  {
    file: 'tcpdump/bigtcp-ipv4-vxlan-ipv4.pcap',
    what: ['TCP streams'],
    reason: 'tshark 4.0 gives up at an IPv4 length of 0 within VXLAN, which BIG TCP has',
  },
  {
    file: 'zeek/dns/conn-count-too-large.pcap',
    what: ['DNS questions'],
    reason: 'tshark shows no question of a message whose counts are too large; the first one is whole',
  },
  {
    file: 'zeek/http/261/variant-07-expect_100_cl0.pcap',
    what: ['HTTP requests'],
    reason: "a request smuggled into a body: ksnoop tells what the server's framing (Content-Length: 0) makes of it",
  },
];

export function isKnownDifference(difference: TrafficDifference): boolean {
  return KNOWN_TRAFFIC_DIFFERENCES.some(
    ({ file, what }) => difference.file.endsWith(file) && what.includes(difference.what),
  );
}
