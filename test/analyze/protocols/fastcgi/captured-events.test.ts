import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded('captures/fastcgi.pcap');
