import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded('captures/mqtt.pcap');
