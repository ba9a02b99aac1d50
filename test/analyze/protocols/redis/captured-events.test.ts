import { findsAsRecorded } from '../captured-events.ts';

findsAsRecorded(
  'redis/captures/loss-request-redis.pcap',
  'redis/captures/partial-answer-redis.pcap',
  'redis/captures/redis-replication.pcap',
  'redis/captures/redis-unsubscribe-all.pcap',
);
