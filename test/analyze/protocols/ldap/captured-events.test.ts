import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded('captures/ldap.pcap');
