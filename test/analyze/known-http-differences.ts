import type { KnownDifference } from './known-traffic-differences.ts';

/** HTTP/1. */
export const KNOWN_HTTP_DIFFERENCES: readonly KnownDifference[] = [
  {
    file: 'captures/tls.pcap',
    frames: [256],
    what: ['HTTP statuses'],
    reason: "an HTTP server's 400 in answer to TLS is told as the handshake's failure",
  },
  {
    file: 'zeek/http/261/variant-09-te_obs_fold.pcap',
    frames: [1],
    what: ['HTTP requests'],
    reason: 'a Transfer-Encoding whose value is folded counts: what is behind the empty chunked body is a request',
  },
  {
    file: 'zeek/http/http_09.pcap',
    frames: [1],
    what: ['HTTP requests'],
    reason: 'HTTP/0.9: tshark waits for the end of a head',
  },
  {
    file: 'zeek/http/no-version.pcap',
    frames: [1],
    what: ['HTTP requests'],
    reason: 'HTTP/0.9: tshark waits for the end of a head',
  },
  {
    file: 'zeek/http/no-uri.pcap',
    frames: [4],
    what: ['HTTP requests'],
    reason: "a request line without a target is not taken for HTTP's",
  },
  {
    file: 'zeek/ipv4/fragmented-4.pcap',
    frames: [5],
    what: ['HTTP requests'],
    reason: 'HTTP/0.9: tshark waits for the end of a head',
  },
  {
    file: 'zeek/ipv6-http-atomic-frag.pcap',
    frames: [3, 13, 23, 33],
    what: ['HTTP requests'],
    reason: 'HTTP/0.9: tshark waits for the end of a head',
  },
  {
    file: 'zeek/http/261/variant-10-multi_value_te.pcap',
    frames: [4],
    what: ['HTTP requests'],
    reason:
      'transfer codings of which `chunked` is not the last: the body ends with the connection (RFC 9112, section 6.3)',
  },
  {
    file: 'zeek/http/bro.org.pcap',
    frames: [32, 33, 34],
    what: ['HTTP statuses'],
    reason: "the head of a response behind a body with a hole: tshark takes it for the body's rest",
  },
  {
    file: 'zeek/http/connect-with-smtp.pcap',
    frames: [4],
    what: ['HTTP requests'],
    reason: 'a target with a space in it: to tshark the target ends there',
  },
  {
    file: 'zeek/http/methods.pcap',
    frames: [14, 34, 172, 329, 379, 429, 479, 529, 579, 629],
    what: ['HTTP requests'],
    reason: "a request line without a target, or without ' HTTP/' behind it, is not taken for HTTP's",
  },
  {
    file: 'zeek/http/query-method-non-standard-port.pcap',
    frames: [1],
    what: ['HTTP requests'],
    reason: 'tshark 4.0 does not know the method QUERY',
  },
  {
    file: 'zeek/http/query-method.pcap',
    frames: [1],
    what: ['HTTP requests'],
    reason: 'tshark 4.0 does not know the method QUERY',
  },
  {
    file: 'zeek/redis/oss-fuzz-473580107.pcap',
    frames: [221],
    what: ['HTTP statuses'],
    reason: 'bytes of a fuzzer: `HTTP/5.` is no version',
  },
  {
    file: 'zeek/tcp/payload-synack.pcap',
    frames: [2],
    what: ['HTTP requests'],
    reason: "the request is said by who answers the SYN: no client's words on a connection whose beginning was seen",
  },
  {
    file: 'zeek/tcp/reassembly.pcap',
    frames: [1],
    what: ['HTTP requests'],
    reason: 'a request line of many segments: tshark shows it only when it ends',
  },
  {
    file: 'zeek/tls/ssl-to-http-server.pcap',
    frames: [8],
    what: ['HTTP statuses'],
    reason: "an HTTP server's 400 in answer to TLS is told as the handshake's failure",
  },
  {
    file: 'captures/proxy-protocol.pcap',
    frames: [1],
    what: ['HTTP requests'],
    reason: 'tshark 4.0 does not look behind the PROXY protocol where it stands before HTTP',
  },
  {
    file: 'captures/websocket-gap.pcap',
    frames: [1],
    what: ['WebSocket messages'],
    reason: 'tshark does not find WebSocket frames again behind a hole',
  },
];
