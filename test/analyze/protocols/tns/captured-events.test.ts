import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded('captures/tns.pcap');
