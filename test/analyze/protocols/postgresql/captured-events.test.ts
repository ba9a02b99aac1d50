import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded(
  'captures/postgresql.pcap',
  'captures/postgresql-states.pcap',
  'postgresql/captures/postgresql-copy-extended.pcap',
  'postgresql/captures/postgresql-error-called-no-response.pcap',
  'postgresql/captures/postgresql-orphan-answer-vanishes.pcap',
  'postgresql/captures/postgresql-pipeline-error.pcap',
);
