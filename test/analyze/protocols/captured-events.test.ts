import { findsAsRecorded } from './captured-events.ts';

findsAsRecorded(
  'captures/proxy-protocol.pcap',
  'captures/proxy-protocol-tls.pcap',
  'captures/websocket.pcap',
  'captures/websocket-gap.pcap',
);
