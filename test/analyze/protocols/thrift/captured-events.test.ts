import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded('captures/thrift.pcap');
