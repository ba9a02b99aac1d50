import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded('captures/smtp.pcap');
