import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded(
  'captures/http2.pcap',
  'http2/captures/grpc-midstream-settings-ack-first.pcap',
  'http2/captures/grpc-proxy-503.pcap',
  'http2/captures/grpc-status-by-message.pcap',
  'http2/captures/grpc-status-unknown-failed.pcap',
  'http2/captures/http2-h2c-upgrade.pcap',
  'http2/captures/http2-unknown-frame.pcap',
);
