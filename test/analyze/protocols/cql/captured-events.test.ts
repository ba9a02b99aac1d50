import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded('captures/cql.pcap');
