import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded('captures/rocketmq.pcap');
