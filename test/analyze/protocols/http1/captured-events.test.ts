import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded(
  'http1/captures/http-gap-in-request-head.pcap',
  'http1/captures/http-latency-of-gap.pcap',
  'http1/captures/http-latency-without-request.pcap',
  'http1/captures/http-midstream-keepalive-byte.pcap',
  'http1/captures/http-request-line-lost-in-gap.pcap',
  'http1/captures/http1-close-then-rst.pcap',
  'http1/captures/http1-expect-417.pcap',
  'http1/captures/http1-head-cut.pcap',
  'http1/captures/loss-request-http1.pcap',
  'http1/captures/loss-response-http1-fast.pcap',
  'http1/captures/nats-taken-for-http.pcap',
  'http1/captures/pairing-shift-http.pcap',
  'http1/captures/response-before-request.pcap',
);
