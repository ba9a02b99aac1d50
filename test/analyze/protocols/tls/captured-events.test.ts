import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded('captures/tls.pcap');
