import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded('captures/amqp.pcap');
