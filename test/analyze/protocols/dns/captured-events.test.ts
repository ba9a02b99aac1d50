import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded('captures/dns.pcap', 'dns/captures/dns-tcp-length-alone.pcap');
