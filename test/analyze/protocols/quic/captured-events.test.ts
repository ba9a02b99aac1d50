import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded(
  'captures/quic.pcap',
  'captures/quic-greased.pcap',
  'captures/http3-aioquic.pcap',
  'captures/http3-quic-go.pcap',
);
