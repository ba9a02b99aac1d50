import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded(
  'captures/mysql.pcap',
  'captures/mysql-states.pcap',
  'mysql/captures/mysql-cursor.pcap',
  'mysql/captures/mysql-mariadb-execute-last.pcap',
  'mysql/captures/mysql-midstream-statement-over-one-segment.pcap',
  'mysql/captures/mysql-refused-before-greeting.pcap',
);
