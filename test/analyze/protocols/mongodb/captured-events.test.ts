import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded('captures/mongodb.pcap', 'captures/mongodb-compressed.pcap');
