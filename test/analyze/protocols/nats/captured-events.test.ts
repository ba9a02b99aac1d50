import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded('captures/nats.pcap');
