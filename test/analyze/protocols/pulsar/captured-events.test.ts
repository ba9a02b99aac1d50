import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded('captures/pulsar.pcap');
