import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded(
  'captures/memcached.pcap',
  'captures/memcached-binary.pcap',
  'memcached/captures/memcached-meta-quiet.pcap',
);
