import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded('captures/triple.pcap');
