import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded('captures/kafka.pcap', 'captures/kafka-old.pcap');
