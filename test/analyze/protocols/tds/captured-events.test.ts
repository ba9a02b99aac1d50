import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded('captures/tds.pcap');
